"""GitHub: one client with one place for redaction, retries, caching and the rate limit, and what is asked through it.

`client` speaks HTTP, `auth` knows who we are, `pulls` implements ports.PullRequests, `source` implements ports.Source,
`access` lets git push and fetch. GitHub Enterprise, or a server of a test, is meant by `OPS_GITHUB_API_URL`.
"""
