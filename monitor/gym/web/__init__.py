"""The gym's REST interface, and the server of its page: the only user of FastAPI and uvicorn."""
