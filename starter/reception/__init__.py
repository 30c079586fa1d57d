"""Reception: what comes in on any channel is stored, placed and promised an answer."""
