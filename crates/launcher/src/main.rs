//! The launcher as a program of its own, for embedders that do not call the
//! hook in their own executable.

fn main() {
    outrigger_launcher::run()
}
