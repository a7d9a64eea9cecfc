// The honest twin of a harmless simulation for testing Package Hunter. Not malware.
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}
