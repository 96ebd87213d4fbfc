//! Positions where numbers are wanted, numbers where positions are, and places that are not there.
use diabolo::prelude::*;

#[function]
fn shifted(label: Index<B>) -> Tensor<B> {
    label + 1.0
}

#[function]
fn from_numbers(table: Tensor<10, 4>, x: Tensor<B>) -> Tensor<B, 4> {
    gather(table, x)
}

#[function]
fn too_many(x: Tensor<B, 16>) -> Tensor<B, 16> {
    top_k(x, 17)
}

#[function]
fn other_rows(x: Tensor<B, 16>, label: Index<B>) -> Tensor<Rows<B, 5>> {
    gather(x, repeat(label, 5))
}

#[function]
fn no_such_axis(x: Tensor<B, 16>) -> Index<B> {
    argmin(x, axis = 2)
}

#[function]
fn numbers(label: Index<B>) -> Tensor<B> {
    number(label)
}

#[function]
fn numbers_of_numbers(x: Tensor<B>) -> Tensor<B> {
    numbers(x)
}

#[function]
fn returned(x: Tensor<B, 16>) -> Tensor<B> {
    argmax(x)
}

fn main() {}
