"""GraphQL, executed by graphql-core against GitHub's published schema or the part of it that this package carries."""
