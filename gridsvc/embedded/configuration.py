"""The settings of the embedded server: one private socket, and two profiles."""

from collections.abc import Mapping
from pathlib import Path

SUPERUSER = "postgres"
PORT = 5432  # names the socket file only: nothing listens on a network

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",  # file permissions are the authentication
    "max_connections": "60",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "jit": "off",  # compiling costs more than our short queries
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "lc_messages": "C",  # messages are searched for words
}

# For tests: everything is lost with the machine, nothing with a killed process of ours. Several
# processes with several databases each share the server.
THROW_AWAY: Mapping[str, str] = {
    "max_connections": "300",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}


def server_settings(socket_folder: Path, *, durable: bool) -> str:
    """Return the text of ``postgresql.conf``.

    Parameters
    ----------
    socket_folder
        Where the server makes its socket; letters, digits and ``/._-`` only.
    durable
        False: commits are not written through to the disk.
    """
    settings = dict(SETTINGS) | {"unix_socket_directories": str(socket_folder)}
    if not durable:
        settings |= THROW_AWAY
    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    heading = "# Written anew at each start. Use ALTER SYSTEM for changes of your own."
    return "\n".join([heading, *lines]) + "\n"
