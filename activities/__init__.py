"""What a case asks the world for: letters sent and recorded, events written down, incidents told.

None is broken off by an exception in its thread when the worker stops (`no_thread_cancel_exception`): it would strike
between what a channel took and the row that says so.
"""
