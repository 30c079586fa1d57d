"""Jira Cloud, by its REST API in version 3 and its webhooks."""
