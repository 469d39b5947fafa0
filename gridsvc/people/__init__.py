"""Members, who they are, posts and organisations."""
