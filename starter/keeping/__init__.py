"""Backups of the records and files, and how they are put back."""
