//! The instruction set, chosen at run time. In: a [`Body`] generic over the set. Out: its result,
//! computed by a copy of it that was compiled for the widest set this machine has.
//! Never: a compiler flag that the user must know.
use super::float::Float;
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// An instruction set, as a type: what a [`Body`] is generic over.
pub trait Isa: Copy + Send + Sync + 'static {
    /// The set as a value.
    const KIND: IsaKind;
    /// Its name, as in [`isa_name`].
    const NAME: &'static str = Self::KIND.name();
    /// Whether `a · b + c` rounds once, and rounding to an integer is one instruction.
    const FUSED: bool = true;

    /// `a · b + c`: fused where the set can, else a product and a sum.
    #[inline(always)]
    fn fma<F: Float>(a: F, b: F, c: F) -> F {
        if Self::FUSED { a.mul_add(b, c) } else { a * b + c }
    }
}

/// An instruction set, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum IsaKind {
    /// Plain Rust for the compilation target (SSE2 on x86-64).
    Portable = 1,
    /// x86-64 with AVX2 and FMA.
    Avx2 = 2,
    /// x86-64 with AVX-512 F, BW, DQ, VL.
    Avx512 = 3,
    /// AArch64 with NEON.
    Neon = 4,
}

impl IsaKind {
    /// All of them.
    pub const ALL: [IsaKind; 4] = [IsaKind::Portable, IsaKind::Avx2, IsaKind::Avx512, IsaKind::Neon];

    /// "portable", "avx2", "avx512" or "neon".
    pub const fn name(self) -> &'static str {
        match self {
            IsaKind::Portable => "portable",
            IsaKind::Avx2 => "avx2",
            IsaKind::Avx512 => "avx512",
            IsaKind::Neon => "neon",
        }
    }

    /// Bytes of one vector.
    pub const fn vector_bytes(self) -> usize {
        match self {
            IsaKind::Portable | IsaKind::Neon => 16,
            IsaKind::Avx2 => 32,
            IsaKind::Avx512 => 64,
        }
    }

    /// Whether this machine has it.
    pub fn available(self) -> bool {
        match self {
            IsaKind::Portable => true,
            #[cfg(target_arch = "x86_64")]
            IsaKind::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            IsaKind::Avx512 => {
                IsaKind::Avx2.available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(target_arch = "aarch64")]
            IsaKind::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            #[allow(unreachable_patterns)] // which arms exist depends on the target
            _ => false,
        }
    }
}

macro_rules! marker {
    ($(#[$doc:meta])* $name:ident $($fused:tt)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
        impl Isa for $name {
            const KIND: IsaKind = IsaKind::$name;
            $(const FUSED: bool = $fused;)*
        }
    };
}
marker!(
    /// 64-byte vectors, fused.
    Avx512
);
marker!(
    /// 32-byte vectors, fused.
    Avx2
);
marker!(
    /// 16-byte vectors, fused.
    Neon
);
marker!(
    /// The compilation target's own vectors, not fused.
    Portable false
);

/// A computation generic over the instruction set. `run` must be `#[inline(always)]`, and so must what it
/// calls in its loops: what is not inlined is compiled for the target's baseline.
pub trait Body {
    /// What it returns.
    type Output;
    /// The computation.
    fn run<I: Isa>(self) -> Self::Output;
}

/// Runs `body` with the widest instruction set of this machine, or the one that was forced.
#[inline]
pub fn dispatch<B: Body>(body: B) -> B::Output {
    // SAFETY: `choose` and `force_isa` let a kind through only where `available` saw it.
    unsafe { run_with(isa(), body) }
}

/// Runs another body with the set that one runs with, in a stack frame of its own.
#[inline(never)]
pub(crate) fn again<I: Isa, B: Body>(body: B) -> B::Output {
    // SAFETY: a body runs only with a set that the machine has.
    unsafe { run_with(I::KIND, body) }
}

/// Runs `body` with the given set, for tests.
#[cfg(test)]
pub(crate) fn run_on<B: Body>(kind: IsaKind, body: B) -> B::Output {
    assert!(kind.available());
    // SAFETY: asked just now.
    unsafe { run_with(kind, body) }
}

/// Runs `body` with the given set.
///
/// # Safety
/// The machine has it.
#[inline]
unsafe fn run_with<B: Body>(kind: IsaKind, body: B) -> B::Output {
    match kind {
        #[cfg(target_arch = "x86_64")]
        IsaKind::Avx512 => {
            // SAFETY: the caller asked whether the machine has it.
            unsafe { avx512(body) }
        }
        #[cfg(target_arch = "x86_64")]
        IsaKind::Avx2 => {
            // SAFETY: as above.
            unsafe { avx2(body) }
        }
        #[cfg(target_arch = "aarch64")]
        IsaKind::Neon => {
            // SAFETY: as above.
            unsafe { neon(body) }
        }
        _ => body.run::<Portable>(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
fn avx512<B: Body>(body: B) -> B::Output {
    body.run::<Avx512>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<B: Body>(body: B) -> B::Output {
    body.run::<Avx2>()
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn neon<B: Body>(body: B) -> B::Output {
    body.run::<Neon>()
}

/// The set in use; 0 before the first question.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// The instruction set in use.
#[inline]
pub fn isa() -> IsaKind {
    match CHOSEN.load(Relaxed) {
        1 => IsaKind::Portable,
        2 => IsaKind::Avx2,
        3 => IsaKind::Avx512,
        4 => IsaKind::Neon,
        _ => choose(),
    }
}

/// The name of the instruction set in use: "avx512", "avx2", "neon" or "portable".
pub fn isa_name() -> &'static str {
    isa().name()
}

/// Makes every later [`dispatch`] use this set; `None` returns to the default, which is the variable
/// `DIABOLO_ISA` where it names a set of this machine, else the widest there is. For tests.
///
/// # Errors
/// [`IsaMissing`] where this machine lacks the set; nothing is changed then.
pub fn force_isa(kind: Option<IsaKind>) -> Result<(), IsaMissing> {
    match kind {
        None => CHOSEN.store(0, Relaxed),
        Some(kind) if kind.available() => CHOSEN.store(kind as u8, Relaxed),
        Some(kind) => return Err(IsaMissing(kind)),
    }
    Ok(())
}

/// This machine lacks the instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsaMissing(
    /// The set that was asked for.
    pub IsaKind,
);

impl fmt::Display for IsaMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this machine has no {} instructions", self.0.name())
    }
}

impl std::error::Error for IsaMissing {}

#[cold]
fn choose() -> IsaKind {
    let widest =
        || *IsaKind::ALL.iter().rfind(|kind| kind.available()).expect("the portable set is always available");
    let kind = match std::env::var("DIABOLO_ISA") {
        Err(_) => widest(),
        Ok(name) => match IsaKind::ALL.iter().find(|kind| kind.name() == name && kind.available()) {
            Some(&kind) => kind,
            None => {
                let kind = widest();
                eprintln!(
                    "DIABOLO_ISA={name}: not an instruction set of this machine; using {}",
                    kind.name()
                );
                kind
            }
        },
    };
    CHOSEN.store(kind as u8, Relaxed);
    kind
}
