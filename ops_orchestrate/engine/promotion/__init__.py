"""Phase 5's last steps, once a repository's tasks have ended: integration to main, and a look at what is deployed."""
