"""What a case asks the world for: letters sent and recorded, events written down."""
