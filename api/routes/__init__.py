"""HTTP routes: one module a feature; each reads, calls one service, shapes the answer."""
