"""Members who stand in the register twice: found, and made one."""
