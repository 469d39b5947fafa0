"""Speaking to robots, webhooks and mail servers: plain functions that know no database."""
