//! The choice of the instruction set, alone in its process: it is global.
use diabolo_kernels::*;

struct Name;
impl Body for Name {
    type Output = &'static str;
    #[inline(always)]
    fn run<I: Isa>(self) -> &'static str {
        I::NAME
    }
}

#[test]
fn dispatch_follows_the_forced_set() {
    let widest = isa();
    for kind in IsaKind::ALL {
        match force_isa(Some(kind)) {
            Ok(()) => {
                assert!(kind.available());
                assert_eq!((isa(), isa_name(), dispatch(Name)), (kind, kind.name(), kind.name()));
            }
            Err(error) => {
                assert!(!kind.available());
                assert_eq!(error.to_string(), format!("this machine has no {} instructions", kind.name()));
            }
        }
    }
    force_isa(None).expect("the default is always there");
    assert_eq!(isa(), widest);
}
