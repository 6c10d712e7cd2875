//! What a node does with GoQuorum's plugins. Each part is usable on its own.
