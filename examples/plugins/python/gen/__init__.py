"""Stubs made from the .proto files; examples/plugins/README.md says how."""
