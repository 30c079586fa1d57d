"""The page behind the link in every letter."""
