"""A stand-in for Jira Cloud: one project, its REST API in version 3, its webhooks, and a board to move issues on."""
