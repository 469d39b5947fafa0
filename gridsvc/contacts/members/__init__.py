"""What contacts have to do with one member: duties in force, and a member who becomes another."""
