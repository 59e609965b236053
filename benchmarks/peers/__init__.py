"""The same job on other event stores that install here, each driven the way its own documentation says."""
