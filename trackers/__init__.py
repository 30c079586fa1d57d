"""Incident tools that coordinate what goes to a specialised team (M5.6): built in, Jira, any with signed webhooks."""
