"""A tiny server for the browser tests: pages under our policy, assets, and vector tiles."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pyogrio
from geopandas import GeoDataFrame

NONCE = "dGVzdC1ub25jZQ=="
POLICY = (
    f"default-src 'none'; script-src 'self' 'nonce-{NONCE}'; style-src 'self' 'nonce-{NONCE}'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'"
)
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".mvt": "application/vnd.mapbox-vector-tile",
}


def write_tiles(layers: dict[str, GeoDataFrame], folder: Path) -> None:
    """Cut frames into real vector tiles, a folder a layer."""
    for name, frame in layers.items():
        pyogrio.write_dataframe(
            frame,
            folder / name,
            layer=name,
            driver="MVT",
            FORMAT="DIRECTORY",
            MINZOOM=13,
            MAXZOOM=19,
            COMPRESS="NO",
        )


@contextmanager
def serve(
    pages: dict[str, str], assets: dict[str, Path], tiles: Path | None = None
) -> Iterator[str]:
    """Serve on a free port of the loopback address; yields the address without a slash."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            if path in pages:
                self._send(pages[path].encode(), "text/html; charset=utf-8")
            elif path.removeprefix("/assets/") in assets:
                file = assets[path.removeprefix("/assets/")]
                self._send(file.read_bytes(), _TYPES.get(file.suffix, "application/octet-stream"))
            elif path.startswith("/tiles/") and tiles is not None:
                layer, z, x, y = path.removeprefix("/tiles/").removesuffix(".mvt").split("/")
                file = tiles / layer / z / x / f"{y}.pbf"
                self._send(file.read_bytes() if file.exists() else b"", _TYPES[".mvt"])
            else:
                self.send_error(404)

        def _send(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
