//! What follows an index, trained on the embedded digits: labels, a codebook, sparse codes; and labels that are none.

use diabolo::data::{Array, Data, digits};
use diabolo::nn::{cross_entropy, dense, embedding, pairwise_squares, squared_error};
use diabolo::prelude::*;

#[network]
fn classify(x: Tensor<B, 64>) -> Tensor<B, 10> {
    dense(relu(dense(x, 48)), 10)
}

#[loss]
fn likelihood(x: Tensor<B, 64>, label: Index<B>) -> Tensor<B> {
    let nats = cross_entropy(classify(x), label);
    nats
}

#[function]
fn guess(x: Tensor<B, 64>) -> Index<B> {
    argmax(classify(x))
}

/// Of all guesses, those that are right.
#[function]
fn right(x: Tensor<B, 64>, label: Index<B>) -> Tensor<B> {
    number(guess(x)) == number(label)
}

#[test]
fn labels_are_learned_and_guessed() {
    let digits = digits();
    let model = Trainer::new(likelihood).epochs(30).seed(1).quiet().fit(&digits.train).unwrap();
    let right = model.run(right, &digits.test).unwrap().mean();
    assert!(right > 0.94, "{right}");
    // Positions come out as whole numbers, the same as counted by hand.
    let logits = model.run(classify, &digits.test).unwrap();
    let guesses = model.run(guess, &digits.test).unwrap();
    for (row, guess) in logits.iter().zip(guesses.values()) {
        let best = (0..10).rev().max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap();
        assert_eq!(*guess, best as f32);
    }
}

#[test]
fn labels_that_are_none_are_errors_that_name_them() {
    let labelled = |label: Vec<f32>| {
        Data::new()
            .with("x", &[64], vec![0.5f32; 64 * label.len()])
            .unwrap()
            .with("label", &[], label)
            .unwrap()
    };
    let text = |label: Vec<f32>| match Trainer::new(likelihood).epochs(1).quiet().fit(&labelled(label)) {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.to_string(),
    };
    for (label, value) in [(10.0, "is 10"), (-1.0, "is -1"), (2.5, "is 2.5")] {
        let text = text(vec![3.0, 9.0, label]);
        let parts = ["`label`", "row 2,", value, "a whole number from 0 to 9", "indices.rs"];
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
    // In `run` and `mean` as well, at the row that the data has.
    let model = Trainer::new(likelihood).epochs(1).quiet().fit(&labelled(vec![0.0, 9.0])).unwrap();
    let mut many = vec![1.0; 1500];
    many[1200] = 11.0;
    let text = model.mean(likelihood, &labelled(many)).unwrap_err().to_string();
    assert!(text.contains("row 1200, is 11"), "{text}");
    let (x, label) = (Array::new(&[1, 64], vec![0.0f32; 64]).unwrap(), Array::new(&[1], vec![0.25]).unwrap());
    // Nothing is taken from a table by this label, and it is still no position.
    let text = model.run(right, &[("x", &x), ("label", &label)][..]).unwrap_err().to_string();
    assert!(text.contains("row 0, is 0.25, and should be a whole number from 0 on"), "{text}");
}

/// A word for each label, beside the pixels.
#[network]
fn informed(x: Tensor<B, 64>, label: Index<B>) -> Tensor<B, 64> {
    dense(tanh(dense(concat(x, embedding(label, 10, 6)), 24)), 64)
}

#[loss]
fn conditional(x: Tensor<B, 64>, label: Index<B>) -> Tensor<B> {
    squared_error(informed(0.0 * x, label), x)
}

#[test]
fn an_embedding_learns_the_mean_image_of_each_label() {
    let data = digits().train;
    let mean: f64 = {
        let centre = data.mean("x").unwrap();
        let centred = data.center("x", &centre).unwrap().array::<f64>("x").unwrap();
        centred.values().iter().map(|x| x * x).sum::<f64>() / data.rows() as f64
    };
    let within: f64 = (0..10)
        .map(|label| {
            let part = data.select_where("label", |l| l[0] == f64::from(label)).unwrap();
            let centred = part.center("x", &part.mean("x").unwrap()).unwrap().array::<f64>("x").unwrap();
            centred.values().iter().map(|x| x * x).sum::<f64>() / data.rows() as f64
        })
        .sum();
    let trainer = Trainer::new(conditional).optimizer(Adam::new(3e-3)).epochs(40).seed(2).quiet();
    let found = trainer.fit(&data).unwrap().mean(conditional, &data).unwrap().loss;
    assert!(
        found > 0.999 * within && found < 1.02 * within && within < 0.7 * mean,
        "{within} {found} {mean}"
    );
}

/// Vector quantisation (van den Oord et al. 2017): eight patches of a digit, each one of 32 places.
#[network]
fn codebook() -> Tensor<32, 4> {
    param(normal_init(0.5))
}

#[encoder]
fn encode(x: Tensor<B, 64>) -> Tensor<B, 8, 4> {
    reshape(dense(relu(dense(x, 64)), 32), 8, 4)
}

#[decoder]
fn decode(z: Tensor<B, 8, 4>) -> Tensor<B, 64> {
    dense(relu(dense(flatten(z), 64)), 64)
}

#[loss]
fn quantised(x: Tensor<B, 64>, #[default(0.25)] beta: f32) -> Tensor<B> {
    let e = encode(x);
    let q = gather(codebook(), argmin(pairwise_squares(e, codebook()), axis = 2));
    let recon = squared_error(decode(straight_through(q, e)), x);
    recon + sum_squares(stop_gradient(e) - q) + beta * sum_squares(e - stop_gradient(q))
}

#[function]
fn code(x: Tensor<B, 64>) -> Index<B, 8> {
    argmin(pairwise_squares(encode(x), codebook()))
}

#[function]
fn from_code(code: Index<B, 8>) -> Tensor<B, 64> {
    decode(gather(codebook(), code))
}

#[test]
fn a_codebook_moves_and_its_codes_are_enough() {
    let digits = digits();
    let fresh = Model::<f32>::untrained(quantised, 3).unwrap();
    let before = fresh.parameter("codebook.weight").unwrap();
    let trainer = Trainer::new(quantised).optimizer(Adam::new(2e-3)).epochs(20).seed(3).quiet();
    let model = trainer.fit(&digits.train).unwrap();
    let after = model.parameter("codebook.weight").unwrap();
    assert!(before.values().iter().zip(after.values()).any(|(a, b)| (a - b).abs() > 0.1));
    let recon = model.mean(quantised, &digits.test).unwrap().part("recon").unwrap();
    assert!(recon < 2.5, "{recon}");
    // The integers alone give the same pictures.
    let codes = model.run(code, &digits.test).unwrap();
    let data = Data::from_array("code", codes.clone()).unwrap();
    let back = model.run(from_code, &data).unwrap();
    let x = digits.test.array::<f32>("x").unwrap();
    let error: f64 = x.values().iter().zip(back.values()).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    assert!((error / digits.test.rows() as f64 - recon).abs() < 1e-3 * recon);
    let mut used: Vec<u32> = codes.values().iter().map(|c| *c as u32).collect();
    used.sort_unstable();
    used.dedup();
    assert!(used.len() > 8 && used.iter().all(|c| *c < 32), "{used:?}");
}

/// Sparse codes (Makhzani and Frey 2014): 8 of 256.
#[network]
fn features() -> Tensor<256, 64> {
    param(normal_init(0.1))
}

#[encoder]
fn sparse(x: Tensor<B, 64>) -> Tensor<B, 256> {
    top_k(relu(dense(x, 256)), 8)
}

#[loss]
fn few(x: Tensor<B, 64>) -> Tensor<B> {
    squared_error(einsum("bk,kd->bd", sparse(x), features()), x)
}

/// The same without a rewrite: the code is handed out, so that its zeros are there.
#[function]
fn dense_way(x: Tensor<B, 64>) -> Tensor<B, 64> {
    einsum("bk,kd->bd", reshape(reshape(sparse(x), 16, 16), 256), features())
}

#[function]
fn sparse_way(x: Tensor<B, 64>) -> Tensor<B, 64> {
    einsum("bk,kd->bd", sparse(x), features())
}

fn train_few(threads: usize) -> Model {
    Trainer::new(few)
        .optimizer(Adam::new(2e-3))
        .epochs(12)
        .seed(5)
        .threads(threads)
        .quiet()
        .fit(&digits().train)
        .unwrap()
}

#[test]
fn sparse_codes_are_sparse_and_learn() {
    let (model, test) = (train_few(2), digits().test);
    let loss = model.mean(few, &test).unwrap().loss;
    assert!(loss < 1.6, "{loss}");
    let codes = model.run(sparse, &test).unwrap();
    assert!(codes.iter().all(|row| row.iter().filter(|x| **x != 0.0).count() <= 8));
    let (one, other) = (model.run(sparse_way, &test).unwrap(), model.run(dense_way, &test).unwrap());
    let far = one.values().iter().zip(other.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(far < 1e-4, "{far}");
    let weights = |model: &Model| model.parameter("features.weight").unwrap().into_values();
    assert!(weights(&model) == weights(&train_few(1)), "one thread gives other bits than two");
}
