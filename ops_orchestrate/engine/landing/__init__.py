"""Phase 5: a verified attempt gets into its integration branch, by a pull request or by a push of ours."""
