//! The kernels of a text. In: CUDA C. Out: their names, and which are one text. Never: a parser: what stands between two
//! kernels belongs to the first.

use std::collections::HashSet;

/// A kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kernel<'t> {
    /// Its name.
    pub name: &'t str,
    /// From `__global__` to the next one.
    pub text: &'t str,
    /// The lines before it.
    pub line: usize,
}

const GLOBAL: &str = "__global__";

/// The kernels of a text: `__global__ void name(`, perhaps with launch bounds.
pub(super) fn kernels(source: &str) -> Vec<Kernel<'_>> {
    let mut starts: Vec<usize> = source.match_indices(GLOBAL).map(|(start, _)| start).collect();
    starts.push(source.len());
    let of = |ends: &[usize]| {
        let text = &source[ends[0]..ends[1]];
        let head = match text.split_once("__launch_bounds__(") {
            Some((before, after)) if !before.contains('(') => after.split_once(')')?.1,
            _ => &text[GLOBAL.len()..],
        };
        let name = head.split('(').next()?.split_whitespace().next_back()?;
        Some(Kernel { name, text, line: source[..ends[0]].matches('\n').count() })
    };
    starts.windows(2).filter_map(of).collect()
}

impl Kernel<'_> {
    /// What the kernel is but for its name and for comments behind it: equal ones do the same, if nothing stands before them
    /// that they use.
    pub fn body(&self) -> String {
        let lines = self.text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let text = lines.collect::<Vec<_>>().join("\n").replacen(&format!(" {}(", self.name), " (", 1);
        text.trim_end().trim_end_matches("extern \"C\"").trim_end().to_owned()
    }
}

/// Whether a text has kernels alone, and nothing of its own that they may use.
pub(super) fn is_plain(source: &str) -> bool {
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let (mut depth, mut head) = (0usize, String::new());
    for letter in lines.flat_map(|line| line.chars().chain(['\n'])) {
        match letter {
            '{' => {
                if depth == 0 && !is_head(&std::mem::take(&mut head)) {
                    return false;
                }
                depth += 1;
            }
            '}' => depth = depth.saturating_sub(1),
            letter if depth == 0 => head.push(letter),
            _ => {}
        }
    }
    head.trim().is_empty()
}

/// Whether what stands before a brace begins a kernel, and nothing else.
fn is_head(text: &str) -> bool {
    text.trim().trim_start_matches("extern \"C\" ").starts_with(GLOBAL) && !text.contains([';', '#'])
}

/// The kernels of texts that have nothing else: of those that differ in their names alone, the first.
///
/// ```
/// use diabolo_kernels::cuda::emulate::distinct;
///
/// let texts = ["__global__ void a(T *to) {}", "__global__ void b(T *to) {}\n__global__ void c(T *at) {}"];
/// assert_eq!(distinct(&texts).matches("__global__").count(), 2);
/// ```
pub fn distinct<S: AsRef<str>>(texts: &[S]) -> String {
    let mut known = HashSet::new();
    let all = texts.iter().flat_map(|text| kernels(text.as_ref()));
    let new = all.filter(|kernel| known.insert(kernel.body()));
    new.map(|kernel| format!("extern \"C\" {}\n", kernel.text.trim_end().trim_end_matches("extern \"C\"")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_found_and_compared() {
        let one = "// first\nextern \"C\" __global__ void a(T *to) {\n    to[0] = 1;\n}\n\n// second\nextern \"C\" __global__ \
                   void __launch_bounds__(512, 1) b(T *to) {\n    to[0] = 1;\n}\n";
        let other =
            "\nextern \"C\" __global__ void __launch_bounds__(512, 1) long_name(T *to) {\n    to[0] = 1;\n}";
        let (one, other) = (kernels(one), kernels(other));
        let names: Vec<(&str, usize)> = one.iter().map(|kernel| (kernel.name, kernel.line)).collect();
        assert_eq!(names, [("a", 1), ("b", 6)]);
        assert_eq!(one[1].body(), other[0].body());
        assert_ne!(one[0].body(), one[1].body());
        assert!(one[0].body().ends_with("= 1;\n}"), "{}", one[0].body());
    }

    #[test]
    fn texts_with_functions_of_their_own_are_not_plain() {
        let kernel = "// {\nextern \"C\" __global__ void a(T *to) {\n    if (1) { f(to); }\n}\n";
        assert!(is_plain(kernel) && is_plain(&kernel.repeat(2)));
        for own in [
            "static __device__ T f(T *at) { return *at; }\n",
            "#define f(at) at\n",
            "struct S {};\n",
            "static int n;\n",
        ] {
            assert!(!is_plain(&[own, kernel].concat()), "{own}");
            assert!(!is_plain(&[kernel, own].concat()), "{own}");
        }
    }
}
