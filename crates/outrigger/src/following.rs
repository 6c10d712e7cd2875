//! The way to an interface, whoever fills it.

use std::fmt;
use std::marker::PhantomData;

use outrigger_core::Link;
use outrigger_core::manager::Lookup;
use outrigger_gateways::Gateway;

/// Finds the gateway to whichever instance fills an interface at the moment:
/// settings that are applied to a running host may add it, drop it, or put
/// another one in its place. Made by [`crate::PluginHost::follow`]; a cheap
/// clone.
pub struct Following<G> {
    lookup: Lookup,
    gateway: PhantomData<fn() -> G>,
}

impl<G: Gateway> Following<G> {
    pub(crate) const fn new(lookup: Lookup) -> Self {
        Self { lookup, gateway: PhantomData }
    }

    /// The gateway to the instance that has the interface's name or, if just one
    /// fills the interface, to that one. No call is made.
    #[must_use]
    pub fn gateway(&self) -> Option<G> {
        self.link().map(G::from_link)
    }

    /// The link that [`Following::gateway`] is made from.
    #[must_use]
    pub fn link(&self) -> Option<Link> {
        self.lookup.filling(G::INTERFACE, G::INTERFACE)
    }
}

impl<G> Clone for Following<G> {
    fn clone(&self) -> Self {
        Self { lookup: self.lookup.clone(), gateway: PhantomData }
    }
}

impl<G: Gateway> fmt::Debug for Following<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Following").field(&G::INTERFACE).finish()
    }
}
