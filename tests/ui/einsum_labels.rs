//! How labels are written.
use diabolo::prelude::*;

#[function]
fn no_result(x: Tensor<B, 8>, w: Tensor<8, 4>) -> Tensor<B, 4> {
    einsum("bi,io", x, w)
}

#[function]
fn a_digit(x: Tensor<B, 8>, w: Tensor<8, 4>) -> Tensor<B, 4> {
    einsum("b1,1o->bo", x, w)
}

#[function]
fn too_few_values(x: Tensor<B, 8>) -> Tensor<B, 4> {
    einsum("bi,io->bo", x)
}

#[function]
fn too_few_labels(x: Tensor<B, 8, 4>, w: Tensor<8, 4>) -> Tensor<B, 4> {
    einsum("bi,io->bo", x, w)
}

#[function]
fn from_nowhere(x: Tensor<B, 8>, w: Tensor<8, 4>) -> Tensor<B, 4> {
    einsum("bi,io->bk", x, w)
}

#[function]
fn over_the_rows(x: Tensor<B, 8>, y: Tensor<B, 8>) -> Tensor<8, 8> {
    einsum("bi,bj->ij", x, y)
}

#[function]
fn two_names_for_the_rows(x: Tensor<B, 8>, y: Tensor<B, 8>) -> Tensor<B, 8, 8> {
    einsum("bi,cj->bij", x, y)
}

#[function]
fn no_labels(x: Tensor<B, 8>, w: Tensor<8, 4>) -> Tensor<B, 4> {
    einsum(x, w)
}

#[function]
fn any_twice(x: Tensor<B, 8>, w: Tensor<8, 4>) -> Tensor<B, 4> {
    einsum("b...i...,io->bo", x, w)
}

fn main() {}
