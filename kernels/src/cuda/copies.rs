//! Factors of products as bfloat16 in memory: which are worth a copy, and where each lies.
//!
//! In: a tape, and from which size on a library gains by copies. Out: for each product the copies of its factors, with room for all
//! of them. Never: a copy of a value that was overwritten since; another number than a product would have rounded to on its way.
//!
//! Tensor cores take bfloat16 twice as fast as TF32, but only where factors lie in memory like that: a library that is given
//! float32 has to round them each time that it loads them. A value is copied once, however many products read it.

use std::collections::HashMap;
use std::convert::Infallible;

use super::driver::{Precision, Products};
use super::order::{Memory, Span, Touched};
use super::plain::{Matrix, Plain};
use super::tape::{Command, Pointer, Product, Space, Tape};

/// Rows of a factor lie at multiples of so many: 16 bytes, without which tensor cores are fed slowly.
const EVEN: usize = 8;

/// Copies begin where ranges of an arena could, in elements of four bytes.
const ALIGNED: usize = super::arena::ALIGNED / 4;

/// A value as bfloat16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Where the value lies.
    pub from: Pointer,
    /// Its elements.
    pub elements: usize,
    /// Where the copy does, in elements of four bytes, two values in each.
    pub to: usize,
}

impl Copy {
    /// Elements of four bytes that it takes.
    pub fn words(&self) -> usize {
        self.elements.div_ceil(2)
    }
}

/// All copies of a tape.
#[derive(Clone, Debug, Default)]
pub struct Copies {
    all: Vec<Copy>,
    /// Of the commands that are products with copies: those of both factors.
    of: HashMap<usize, [usize; 2]>,
    elements: usize,
}

impl Copies {
    /// The copies that a tape's products gain by.
    pub fn of(tape: &Tape, products: Products) -> Copies {
        let Products { precision: Precision::Bf16, copied_from: Some(from) } = products else {
            return Copies::default();
        };
        let mut found = Found::default();
        for (at, command) in tape.commands.iter().enumerate() {
            let Ok(touched) = match command {
                Command::Launch(launch) => Touched::of_launch(launch, tape, &Apart),
                Command::Product(product) => Touched::of_product(product, &Apart),
                Command::Inspect(..) => Ok(Touched::default()),
            };
            if let Command::Product(product) = command
                && gains(product, from)
            {
                let [a, b, _] = product.ends();
                let copies = [found.copy(at, a, touched.reads[0]), found.copy(at, b, touched.reads[1])];
                found.of.insert(at, copies);
            }
            found.overwrite(&touched.writes);
        }
        found.placed()
    }

    /// Elements of four bytes that they need.
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// The copies of the factors of a product, by the number of its command; each with a number of its own.
    pub fn factors(&self, command: usize) -> Option<[(usize, Copy); 2]> {
        self.of.get(&command).map(|copies| copies.map(|copy| (copy, self.all[copy])))
    }
}

/// Whether a product gains by copies of its factors: a plain one of no small sides, whose factors lie without gaps.
fn gains(product: &Product, from: usize) -> bool {
    let dense = |matrix: &Matrix, batch: usize| {
        let even = matrix.rows.is_multiple_of(EVEN) && matrix.leading == matrix.rows;
        even && (batch == 1 || matrix.stride == matrix.rows * matrix.columns)
    };
    Plain::of(product).is_some_and(|plain| {
        let wide = plain.sizes().iter().all(|side| *side >= from);
        wide && dense(&plain.first, plain.batch) && dense(&plain.second, plain.batch)
    })
}

/// What was found so far, command by command.
#[derive(Default)]
struct Found {
    /// Each with the first and the last command that uses it.
    all: Vec<(Copy, usize, usize)>,
    of: HashMap<usize, [usize; 2]>,
    /// Those whose value is still the same, with where it lies.
    valid: Vec<(Span, usize)>,
}

impl Found {
    /// The copy of a value for a command: one that is there, or a new one.
    fn copy(&mut self, at: usize, (from, elements): (Pointer, usize), span: Span) -> usize {
        if let Some((_, copy)) = self.valid.iter().find(|(known, _)| *known == span) {
            self.all[*copy].2 = at;
            return *copy;
        }
        self.all.push((Copy { from, elements, to: 0 }, at, at));
        self.valid.push((span, self.all.len() - 1));
        self.all.len() - 1
    }

    fn overwrite(&mut self, writes: &[Span]) {
        self.valid.retain(|(span, _)| !writes.iter().any(|write| write.meets(*span)));
    }

    /// Each at the first place where none lies that is used at the same time.
    fn placed(self) -> Copies {
        let Found { mut all, of, .. } = self;
        let mut elements = 0;
        for next in 0..all.len() {
            let (copy, first, last) = all[next];
            let words = copy.words().next_multiple_of(ALIGNED);
            let beside = all[..next].iter().filter(|(_, start, end)| *start <= last && first <= *end);
            let mut taken: Vec<_> = beside.map(|(other, ..)| (other.to, other.to + other.words())).collect();
            taken.sort_unstable();
            let mut to = 0;
            for (start, end) in taken {
                if to + words <= start {
                    break;
                }
                to = to.max(end.next_multiple_of(ALIGNED));
            }
            all[next].0.to = to;
            elements = elements.max(to + words);
        }
        Copies { all: all.into_iter().map(|(copy, ..)| copy).collect(), of, elements }
    }
}

/// The spaces of a tape, before they have places: each by itself.
struct Apart;

/// Bytes between two spaces: more than any has.
const SPACE: u64 = 1 << 44;

impl Memory for Apart {
    type Error = Infallible;

    fn elements(&self, _space: Space) -> Result<usize, Infallible> {
        Ok((SPACE / 8) as usize)
    }

    fn span(&self, Pointer { space, start }: Pointer, elements: usize) -> Result<Span, Infallible> {
        let number = match space {
            Space::Work => 0,
            Space::Inputs => 1,
            Space::Hypers => 2,
            Space::Gradients => 3,
            Space::States => 4,
            Space::Outputs => 5,
            Space::Metrics => 6,
            Space::Param(number) => 8 + number as u64,
        };
        Ok(Span::new(number * SPACE + 4 * start as u64, elements))
    }

    fn clock(&self) -> Result<Span, Infallible> {
        Ok(Span::new(7 * SPACE, 6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::tape::{Argument, Axis, Recorder};

    const BF16: Products = Products { precision: Precision::Bf16, copied_from: Some(16) };

    /// c = a b of m × k and k × n, all row-major; what is turned lies the other way round.
    fn product([m, n, k]: [usize; 3], [a, b, c]: [Pointer; 3], turned: [bool; 2]) -> Product {
        let axis = |size, a, b, c| vec![Axis { size, a, b, c }];
        let (a_m, a_k) = if turned[0] { (1, m) } else { (k, 1) };
        let (b_k, b_n) = if turned[1] { (1, k) } else { (n, 1) };
        Product {
            outer: vec![],
            m: axis(m, a_m, 0, n),
            n: axis(n, 0, b_n, 1),
            k: axis(k, a_k, b_k, 0),
            a,
            b,
            c,
            accumulate: false,
        }
    }

    fn places<const N: usize>(to: &mut Recorder, elements: [usize; N]) -> [Pointer; N] {
        elements.map(|elements| to.work(elements))
    }

    fn write(to: &mut Recorder, place: Pointer) {
        to.launch("one", [1, 1, 1], 32, &[Argument::Output(place)]);
    }

    #[test]
    fn a_value_is_copied_once_until_it_is_overwritten() {
        let mut to = Recorder::default();
        let [x, h, d, g] = places(&mut to, [32 * 16, 32 * 24, 32 * 24, 32 * 16]);
        let w = Pointer::new(Space::Param(0));
        to.product(product([32, 24, 16], [x, w, h], [false; 2])); // 0
        write(&mut to, h); // 1: in place
        write(&mut to, d); // 2
        to.product(product([32, 16, 24], [d, w, g], [false, true])); // 3: w the other way round
        to.product(product([16, 24, 32], [x, d, Pointer::new(Space::Gradients)], [true, false])); // 4
        write(&mut to, x); // 5
        to.product(product([32, 24, 16], [x, w, h], [false; 2])); // 6
        let tape = to.finish();
        let copies = Copies::of(&tape, BF16);
        let numbers = |command| copies.factors(command).map(|of| of.map(|(number, _)| number));
        let all: Vec<_> = (0..7).map(numbers).collect();
        let (x, w, d, new_x) = (0, 1, 2, 3);
        assert_eq!(all, [Some([x, w]), None, None, Some([d, w]), Some([x, d]), None, Some([new_x, w])]);
        assert_eq!(copies.factors(0).unwrap()[1].1.elements, 16 * 24);
        // Those that are needed at one time lie apart; x has gone when its new value comes.
        let span =
            |number: usize| (copies.all[number].to, copies.all[number].to + copies.all[number].words());
        for (one, other) in [(x, w), (x, d), (w, d), (w, new_x)] {
            let (one, other) = (span(one), span(other));
            assert!(one.1 <= other.0 || other.1 <= one.0, "{one:?} {other:?}");
        }
        assert_eq!(span(new_x).0, span(x).0);
        assert_eq!(
            copies.elements(),
            [16 * 32, 16 * 24, 32 * 24].map(|n: usize| (n / 2).next_multiple_of(64)).iter().sum()
        );
    }

    #[test]
    fn nothing_is_copied_that_gains_nothing() {
        let copied = |change: &dyn Fn(&mut Product), products| {
            let mut to = Recorder::default();
            let [a, b, c] = places(&mut to, [4096; 3]);
            let mut product = product([32, 24, 16], [a, b, c], [false; 2]);
            change(&mut product);
            to.product(product);
            Copies::of(&to.finish(), products).elements() > 0
        };
        assert!(copied(&|_| (), BF16));
        for products in [
            Products { copied_from: None, ..BF16 },
            Products { copied_from: Some(17), ..BF16 },
            Products { precision: Precision::Tf32, ..BF16 },
            Products { precision: Precision::Float32, ..BF16 },
        ] {
            assert!(!copied(&|_| (), products), "{products:?}");
        }
        let changes: [&dyn Fn(&mut Product); 4] = [
            &|product| product.m[0].size = 15,
            // Gaps between the rows; rows of a length that is not even; more axes than a matrix has.
            &|product| product.m[0].a = 24,
            &|product| (product.k[0].size, product.m[0].a) = (20, 20),
            &|product| product.m = vec![Axis { size: 4, a: 999, b: 0, c: 999 }, product.m[0]],
        ];
        for (number, change) in changes.iter().enumerate() {
            assert!(!copied(change, BF16), "{number}");
        }
    }

    #[test]
    fn a_part_that_is_overwritten_ends_the_copy_of_the_whole() {
        let mut to = Recorder::default();
        let [a, b, c] = places(&mut to, [32 * 16, 16 * 24, 32 * 24]);
        let first = product([32, 24, 16], [a, b, c], [false; 2]);
        to.product(first.clone());
        // Into the middle of a.
        to.product(product([8, 8, 8], [b, b, a.at(100)], [false; 2]));
        to.product(first);
        let copies = Copies::of(&to.finish(), BF16);
        let [one, other] = [0, 2].map(|command| copies.factors(command).unwrap().map(|(number, _)| number));
        assert!(one[0] != other[0] && one[1] == other[1], "{one:?} {other:?}");
    }
}
