"""Reports: figures of a period as data, as tables, and as the quarterly report that a regulator reads."""
