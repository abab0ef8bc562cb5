"""A Toxiproxy in Python: the HTTP API and the toxics of Shopify's, version 2.12, and resets and half-closes carried through.

Three layers, each knows those before it: `toxics/` and `chain` are pure (items and times in, items and times out); `link`, `connection`,
`proxy` move bytes between sockets; `proxies`, `api`, `main` are the control over HTTP.
"""
