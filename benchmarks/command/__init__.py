"""The whole command over gRPC and Connect: decided, sealed, durable."""
