//! A recording as Rust.
//!
//! In: a text and its recording. Out: a constant `<PREFIX>_CUDA`, and the function that records. Never: a generic, a
//! closure, an unrolled turn; rustc's time is the user's.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::Text;
use super::recording::{Argument, Command, Place, Recording, Space, Walk};
use crate::emit::rust::{Names, literal, size, symbol};
use crate::size::Size;

/// The items of a program.
pub(super) fn program(names: &Names<'_>, text: &Text) -> TokenStream {
    let krate = names.krate;
    let constant = constant(names.prefix);
    let record = format_ident!("{}_record", names.prefix);
    let Text { source, recording } = text;
    let dims = recording.symbols.iter().enumerate().map(|(i, name)| {
        let (local, i) = (symbol(name), literal(i));
        quote!(let #local = dims[#i];)
    });
    let mut work = Vec::new();
    for (i, sizes) in recording.work.iter().enumerate() {
        let local = format_ident!("w{i}");
        let mut all = sizes.iter().map(size);
        let first = all.next().unwrap_or(quote!(0));
        let most = all.fold(first, |most, other| quote!(usize::max(#most, #other)));
        work.push(quote!(let #local = to.work(#most);));
    }
    let mut read = BTreeSet::new();
    params(&recording.commands, &mut read);
    let params = read.into_iter().map(|i| {
        let (local, i) = (format_ident!("p{i}"), literal(i));
        quote!(let #local = cuda::at(cuda::Space::Param(#i), 0);)
    });
    let gradients = recording.gradients.iter().map(size);
    let gradients = match recording.gradients.is_empty() {
        true => TokenStream::new(),
        false => quote!(to.gradients(&[#(#gradients),*]);),
    };
    let commands = commands(recording, &recording.commands);
    quote! {
        #[allow(unused_variables, unused_imports, non_snake_case)]
        fn #record(dims: &[usize], to: &mut #krate::kernels::cuda::Recorder) {
            use #krate::kernels::cuda::{self, Argument::*, Space::*, at};
            #(#dims)*
            #(#work)*
            #(#params)*
            #gradients
            #commands
        }
        /// What the program does on a device.
        pub(crate) static #constant: #krate::kernels::cuda::Program =
            #krate::kernels::cuda::Program { source: #source, record: #record };
    }
}

/// The name of a program's constant.
pub(crate) fn constant(prefix: &str) -> Ident {
    format_ident!("{}_CUDA", prefix.to_uppercase())
}

/// The parameters that commands read.
fn params(commands: &[Command], found: &mut BTreeSet<usize>) {
    for command in commands {
        let places: Vec<&Place> = match command {
            Command::Each { arguments, .. }
            | Command::Places { arguments, .. }
            | Command::Sums { arguments, .. } => arguments.iter().filter_map(Argument::place).collect(),
            Command::Product(p) => p.ends.iter().collect(),
            Command::Select { from, .. } | Command::Factor { from, .. } | Command::Inspect { from, .. } => {
                vec![from]
            }
            Command::Fill { .. } | Command::Layer(_) => Vec::new(),
            Command::Turns { commands, .. } => {
                params(commands, found);
                continue;
            }
        };
        found.extend(places.into_iter().filter_map(|place| match place.space {
            Space::Param(index) => Some(index),
            _ => None,
        }));
    }
}

fn commands(recording: &Recording, list: &[Command]) -> TokenStream {
    list.iter().map(|command| self::command(recording, command)).collect()
}

fn command(recording: &Recording, command: &Command) -> TokenStream {
    match command {
        Command::Each { kernel, count, arguments } => {
            let (count, arguments) = (size(count), self::arguments(arguments));
            quote!(to.each(#kernel, #count, &[#arguments]);)
        }
        Command::Places { kernel, count, arguments } => {
            let (count, arguments) = (size(count), self::arguments(arguments));
            quote!(to.places(#kernel, #count, &[#arguments]);)
        }
        Command::Sums { kernel, walk, even, results, count, sums, arguments } => {
            let walk = match walk {
                Walk::Elements => quote!(cuda::Walk::Elements),
                Walk::Threads => quote!(cuda::Walk::Threads),
                Walk::Warps => quote!(cuda::Walk::Warps),
                Walk::Blocks => quote!(cuda::Walk::Blocks),
                Walk::Columns(columns) => {
                    let columns = literal(*columns);
                    quote!(cuda::Walk::Columns(#columns))
                }
            };
            let sums = sums.iter().map(|sum| {
                let (into, largest, whole) = (place(&sum.into), sum.largest, sum.whole);
                quote!(cuda::Sum { into: #into, largest: #largest, whole: #whole })
            });
            let (results, count, arguments) = (size(results), size(count), self::arguments(arguments));
            let [total, most] = &recording.totals;
            quote! {
                to.sums(
                    (#kernel, #walk, #even),
                    [#results, #count],
                    &[#(#sums),*],
                    &[#arguments],
                    [#total, #most],
                );
            }
        }
        Command::Fill { to, count, value } => {
            let (at, count) = (place(to), size(count));
            let value = match *value {
                f64::NEG_INFINITY => quote!(f32::NEG_INFINITY),
                value => {
                    let value = Literal::f32_unsuffixed(value as f32);
                    quote!(#value)
                }
            };
            quote!(to.fill(#at, #count, #value);)
        }
        Command::Select { into, from, sizes, largest } => {
            let (into, from) = (place(into), place(from));
            let sizes = sizes.iter().map(size);
            quote!(to.select([#into, #from], [#(#sizes),*], #largest);)
        }
        Command::Factor { memory: (memory, _), from, sizes, strides } => {
            let (memory, from) = (place(memory), place(from));
            let (sizes, strides) = (sizes.iter().map(size), strides.iter().map(size));
            quote!(to.factor([#memory, #from], [#(#sizes),*], [#(#strides),*]);)
        }
        Command::Product(p) => {
            let ends = p.ends.iter().map(place);
            let counts = p.counts.iter().map(|count| literal(*count));
            let axes = p.axes.iter().map(|axis| {
                let axis = axis.iter().map(size);
                quote!([#(#axis),*])
            });
            let accumulate = p.accumulate;
            quote!(to.multiply([#(#ends),*], [#(#counts),*], &[#(#axes),*], #accumulate);)
        }
        Command::Layer(layer) => {
            let (bias, to, relu) = (place(&layer.bias), place(&layer.to), layer.relu);
            quote!(to.layer([#bias, #to], #relu);)
        }
        Command::Inspect { index, from, count } => {
            let (index, from, count) = (literal(*index), place(from), size(count));
            quote!(to.inspect(#index, #from, #count);)
        }
        Command::Turns { counter, count, reverse, commands } => {
            let (counter, count, body) = (symbol(counter), size(count), self::commands(recording, commands));
            let range = if *reverse { quote!((0..#count).rev()) } else { quote!(0..#count) };
            quote!(for #counter in #range { #body })
        }
    }
}

fn arguments(arguments: &[Argument]) -> TokenStream {
    let list = arguments.iter().map(|argument| match argument {
        Argument::Pointer(place, _, written) => {
            let place = self::place(place);
            if *written { quote!(Output(#place)) } else { quote!(Pointer(#place)) }
        }
        Argument::Size(of) => {
            let of = size(of);
            quote!(Size(#of))
        }
        Argument::Site(site) => {
            let site = literal(*site as usize);
            quote!(Site(#site))
        }
        Argument::Clock => quote!(Clock),
    });
    quote!(#(#list),*)
}

fn place(place: &Place) -> TokenStream {
    let start = place.start.iter().filter(|part| **part != Size::default()).map(size);
    let start = start.reduce(|all, part| quote!(#all + #part));
    let local = match place.space {
        Space::Work(i) => format_ident!("w{i}"),
        Space::Param(i) => format_ident!("p{i}"),
        _ => {
            let space = match place.space {
                Space::Inputs => quote!(Inputs),
                Space::Hypers => quote!(Hypers),
                Space::Gradients => quote!(Gradients),
                Space::States => quote!(States),
                Space::Outputs => quote!(Outputs),
                _ => quote!(Metrics),
            };
            let start = start.unwrap_or(quote!(0));
            return quote!(at(#space, #start));
        }
    };
    match start {
        Some(start) => quote!(#local.at(#start)),
        None => quote!(#local),
    }
}
