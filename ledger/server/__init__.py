"""The edge: one set of handlers, served over gRPC and over Connect/JSON on HTTP."""
