use super::super::arena::{Layout, Range};
use super::super::copies::Copies;
use super::super::driver::{Precision, Products};
use super::super::fake::Fake;
use super::super::tape::{Argument, Axis, Pointer, Product, Recorder, Space, Tape};
use super::*;

const TEXT: &str = "void one(float *x, long long n) {} void two(float *x, const Clock *clock) {} \
                    void product_small(float *c) {} void product_bf16_small(float *c) {} void to_bfloat16(float *to) {}";

fn at(space: Space, start: usize) -> Argument {
    Argument::Pointer(Pointer { space, start })
}

fn product(size: usize) -> Product {
    let axis = |a, b, c| Axis { size, a, b, c };
    Product {
        outer: vec![],
        m: vec![axis(size, 0, size)],
        n: vec![axis(0, 1, 1)],
        k: vec![axis(1, size, 0)],
        a: Pointer::new(Space::Inputs),
        b: Pointer::new(Space::Param(0)),
        c: Pointer::new(Space::Work),
        accumulate: false,
    }
}

fn tape() -> Tape {
    let mut recorder = Recorder::default();
    recorder.launch("one", [2, 1, 1], 64, &[at(Space::Inputs, 0), Argument::Size(20)]);
    recorder.product(product(2));
    recorder.inspect(7, Pointer { space: Space::Outputs, start: 1 }, 2);
    recorder.launch("two", [1, 1, 1], 32, &[at(Space::Metrics, 0), Argument::Clock]);
    recorder.launch("one", [0, 1, 1], 32, &[]);
    recorder.finish()
}

/// A device, and what is needed to play on it.
struct Stage {
    fake: Fake,
    loaded: Arc<Loaded>,
    places: Places,
    arena: Arc<Arena>,
}

impl Stage {
    fn new() -> Result<Self> {
        Stage::on(Fake::new(1 << 20))
    }

    fn on(fake: Fake) -> Result<Self> {
        let driver = Shared::new(fake.clone());
        let loaded = Arc::new(Loaded::new(&driver, TEXT)?);
        let mut layout = Layout::default();
        let room = |layout: &mut Layout, elements| layout.add(elements);
        let places = Places {
            work: room(&mut layout, 100)?,
            inputs: room(&mut layout, 20)?,
            params: vec![room(&mut layout, 6)?, room(&mut layout, 4)?],
            outputs: room(&mut layout, 3)?,
            metrics: room(&mut layout, 2)?,
            clock: room(&mut layout, 6)?,
            ..Places::default()
        };
        let arena = Arc::new(Arena::new(&driver, &layout)?);
        Ok(Stage { fake, loaded, places, arena })
    }

    fn actions(&self, tape: &Tape) -> Result<Vec<Action>> {
        let plain = (Precision::Float32, &Copies::default());
        actions(tape, self.loaded.module(), &self.places, &self.arena, plain)
    }
}

#[test]
fn a_tape_is_one_graph_in_its_order() {
    for takes in [false, true] {
        let stage = Stage::new().unwrap();
        stage.fake.record().takes = takes;
        let actions = stage.actions(&tape()).unwrap();
        let captured = Captured::new(&stage.arena, std::slice::from_ref(&stage.loaded), &actions).unwrap();
        let second = if takes { "multiply" } else { "launch product_small" };
        let graphs: Vec<Vec<String>> = stage.fake.record().graphs.values().cloned().collect();
        assert_eq!(graphs, [["launch one", second, "launch two"]]);
        let before = stage.fake.record().count();
        captured.run().unwrap();
        captured.run().unwrap();
        assert_eq!(stage.fake.record().calls[before..], ["replay", "replay"], "more than one call a step");
        let fake = stage.fake.clone();
        drop((captured, stage));
        assert_eq!(fake.record().alive(), 0);
    }
}

#[test]
fn what_is_inspected_is_read_between_launches() {
    let stage = Stage::new().unwrap();
    stage.arena.write(stage.places.outputs, &[1.0f32, 2.0, 3.0]).unwrap();
    let mut shown = Vec::new();
    let actions = stage.actions(&tape()).unwrap();
    let show = |index, values: &[f32]| shown.push((index, values.to_vec()));
    play(&stage.arena, &[&stage.loaded], &actions, show).unwrap();
    assert_eq!(shown, [(7, vec![2.0, 3.0])]);
    let calls = stage.fake.record().calls.clone();
    let done: Vec<&str> = calls
        .iter()
        .map(String::as_str)
        .filter(|call| call.starts_with("launch") || *call == "read")
        .collect();
    assert_eq!(done, ["launch one", "launch product_small", "read", "launch two"]);
}

#[test]
fn a_pointer_that_leaves_its_space_is_an_error_before_anything_runs() {
    type Case = Box<dyn Fn(&mut Recorder)>;
    let cases: Vec<Case> = vec![
        Box::new(|to| to.launch("one", [1, 1, 1], 32, &[at(Space::Inputs, 21)])),
        Box::new(|to| to.launch("one", [1, 1, 1], 32, &[at(Space::Param(2), 0)])),
        Box::new(|to| to.launch("one", [1, 1, 1], 32, &[at(Space::Work, usize::MAX)])),
        Box::new(|to| to.inspect(0, Pointer::new(Space::Outputs), 4)),
        // A factor of 5 · 5 elements in a parameter of 6.
        Box::new(|to| to.product(Product { a: Pointer::new(Space::Work), ..product(5) })),
        Box::new(|to| to.product(Product { c: Pointer { space: Space::Work, start: 97 }, ..product(2) })),
        Box::new(|to| to.launch("one", [1, 65_536, 1], 32, &[])),
        Box::new(|to| to.launch("one", [1, 1, 1], 48, &[])),
        Box::new(|to| to.launch("one", [1, 1, 1], 2048, &[])),
        Box::new(|to| to.launch("one", [1, 1, 1], 0, &[])),
    ];
    let stage = Stage::new().unwrap();
    let before = stage.fake.record().count();
    for (number, case) in cases.iter().enumerate() {
        let mut recorder = Recorder::default();
        case(&mut recorder);
        let found = stage.actions(&recorder.finish());
        assert!(matches!(found, Err(Error::Program { .. })), "case {number}: {found:?}");
    }
    assert_eq!(stage.fake.record().count(), before);
    let mut recorder = Recorder::default();
    recorder.launch("one", [1, 1, 1], 32, &[at(Space::Inputs, 20)]);
    recorder.product(Product { c: Pointer { space: Space::Work, start: 96 }, ..product(2) });
    stage.actions(&recorder.finish()).expect("the last place is inside");
}

#[test]
fn every_failure_is_an_error_and_nothing_is_kept() {
    let run = |fake: &Fake| -> Result<()> {
        let stage = Stage::on(fake.clone())?;
        stage.arena.write(stage.places.inputs, &[0.0f32; 20])?;
        let actions = stage.actions(&tape())?;
        play(&stage.arena, &[&stage.loaded], &actions, |_, _| {})?;
        let captured = Captured::new(&stage.arena, std::slice::from_ref(&stage.loaded), &actions)?;
        captured.run()?;
        stage.arena.read(stage.places.metrics, &mut [0.0f32; 2])
    };
    let fake = Fake::new(1 << 20);
    run(&fake).unwrap();
    let calls = fake.record().count();
    assert!(calls > 12, "{calls}");
    for at in 0..calls {
        for error in [Error::driver("cuGraphLaunch", 719), Error::driver("cuMemAlloc", 1)] {
            let fake = Fake::new(1 << 20);
            fake.record().fails = Some((at, error.clone()));
            assert_eq!(run(&fake), Err(error), "call {at}");
            assert_eq!(fake.record().alive(), 0, "call {at}: something is kept");
        }
    }
}

#[test]
fn too_little_memory_is_said_before_it_is_asked_for() {
    let fake = Fake::new(1000);
    let error = Stage::on(fake.clone()).map(drop).unwrap_err();
    assert_eq!(error, Error::Memory { wanted: 2048, free: 1000 });
    assert!(!fake.record().calls.iter().any(|call| call == "allocate"));
    assert_eq!(fake.record().alive(), 0);
    assert!(matches!(Layout::default().add(usize::MAX / 2), Err(Error::Memory { .. })));
}

#[test]
fn a_text_without_the_kernel_or_of_another_device_is_an_error() {
    let stage = Stage::new().unwrap();
    let mut recorder = Recorder::default();
    recorder.launch("three", [1, 1, 1], 32, &[]);
    let actions = stage.actions(&recorder.finish()).unwrap();
    let error =
        Captured::new(&stage.arena, std::slice::from_ref(&stage.loaded), &actions).map(drop).unwrap_err();
    assert_eq!(error.to_string(), "no kernel `three`");
    let error = Captured::new(&stage.arena, &[], &actions).map(drop).unwrap_err();
    assert_eq!(error.to_string(), "the module of `three` is not at hand");
    assert_eq!(stage.fake.record().alive(), 2);
}

#[test]
fn ranges_are_copied_whole() {
    let stage = Stage::new().unwrap();
    let Stage { arena, places, .. } = &stage;
    arena.write(places.params[0], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    arena.write(places.params[1], &[9.0f32; 4]).unwrap();
    let mut middle = [0.0f32; 2];
    arena.read(places.params[0].part(2, 2).unwrap(), &mut middle).unwrap();
    assert_eq!(middle, [3.0, 4.0]);
    assert!(arena.read(places.params[0], &mut middle).is_err());
    assert!(arena.write(places.params[0], &[0.0f32; 7]).is_err());
    assert!(places.params[0].part(5, 2).is_err());
    assert!(places.params[0].part(usize::MAX, 2).is_err());
}

/// Two products that share a factor, of which the second adds to the result of the first.
fn sharing() -> Tape {
    let mut recorder = Recorder::default();
    let [x, w, y, z] = [512, 512, 1024, 1024].map(|elements| recorder.work(elements));
    let axis = |size, a, b, c| vec![Axis { size, a, b, c }];
    for (left, to) in [(x, y), (y, z)] {
        let (m, n, k) = (axis(32, 16, 0, 32), axis(32, 0, 1, 1), axis(16, 1, 32, 0));
        let product = Product { outer: vec![], m, n, k, a: left, b: w, c: to, accumulate: false };
        recorder.product(product);
    }
    recorder.finish()
}

#[test]
fn factors_are_copied_where_the_library_takes_copies() {
    let copied = |takes: bool, copied_from: Option<usize>| {
        let stage = Stage::new().unwrap();
        (stage.fake.record().takes, stage.fake.record().copied_from) = (takes, copied_from);
        let tape = sharing();
        let copies = Copies::of(&tape, Products { precision: Precision::Bf16, copied_from: Some(16) });
        let mut layout = Layout::default();
        let places = Places {
            work: layout.add(tape.work).unwrap(),
            copies: layout.add(copies.elements()).unwrap(),
            ..Places::default()
        };
        let arena = Arc::new(Arena::new(stage.arena.driver(), &layout).unwrap());
        let how = (Precision::Bf16, &copies);
        let without = Places { copies: Range::default(), ..places.clone() };
        let lost = actions(&tape, stage.loaded.module(), &without, &arena, how);
        assert!(matches!(lost, Err(Error::Program { .. })), "copies without a place: {lost:?}");
        let actions = actions(&tape, stage.loaded.module(), &places, &arena, how).unwrap();
        let captured = Captured::new(&arena, std::slice::from_ref(&stage.loaded), &actions).unwrap();
        let graph = stage.fake.record().graphs.values().next().cloned().unwrap();
        let waits = stage.fake.record().waits.clone();
        drop(captured);
        (graph, waits)
    };
    let (graph, waits) = copied(true, Some(16));
    let copy = "launch to_bfloat16";
    assert_eq!(graph, [copy, copy, "multiply", copy, "multiply"]);
    // Both copies come before the first product; the third is of its result; the second product reads the copy of w as well.
    assert_eq!(waits, [vec![], vec![0], vec![0, 1], vec![2], vec![3]]);
    // It takes no copies, and rounds factors on their way; there is none.
    assert_eq!(copied(true, None).0, ["multiply", "multiply"]);
    assert_eq!(copied(false, None).0, ["launch product_bf16_small"; 2]);
}

/// A layer whose launch is followed by another.
fn layer() -> Tape {
    let mut recorder = Recorder::default();
    let [x, w, y, h] = [512, 512, 1024, 1024].map(|elements| recorder.work(elements));
    let bias = Pointer::new(Space::Param(0));
    let axis = |size, a, b, c| vec![Axis { size, a, b, c }];
    let (m, n, k) = (axis(32, 16, 0, 32), axis(32, 0, 1, 1), axis(16, 1, 32, 0));
    recorder.product(Product { outer: vec![], m, n, k, a: x, b: w, c: y, accumulate: false });
    let [from, of, to] = [Argument::Pointer(y), Argument::Pointer(bias), Argument::Output(h)];
    recorder.launch("one", [1, 1, 1], 32, &[from, of, to]);
    recorder.layer([bias, h], true);
    recorder.launch("two", [1, 1, 1], 32, &[Argument::Pointer(h)]);
    // Of no rows there is no product, and so no layer.
    recorder.launch("one", [0, 1, 1], 32, &[]);
    recorder.layer([bias, h], false);
    recorder.finish()
}

#[test]
fn a_layer_is_one_product_where_the_library_takes_it() {
    let played = |precision, [takes, layers, copies]: [bool; 3]| {
        let stage = Stage::new().unwrap();
        let mut record = stage.fake.record();
        (record.takes, record.layers, record.copied_from) = (takes, layers, copies.then_some(16));
        drop(record);
        let tape = layer();
        assert_eq!(tape.layers.len(), 1);
        let copies = Copies::of(&tape, Products { precision, copied_from: Some(16) });
        let mut layout = Layout::default();
        let places = Places {
            work: layout.add(tape.work).unwrap(),
            copies: layout.add(copies.elements()).unwrap(),
            params: vec![layout.add(32).unwrap()],
            ..Places::default()
        };
        let arena = Arc::new(Arena::new(stage.arena.driver(), &layout).unwrap());
        let module = stage.loaded.module();
        // A bias that is shorter than the columns.
        let short = Places { params: vec![places.params[0].part(0, 31).unwrap()], ..places.clone() };
        let found = actions(&tape, module, &short, &arena, (precision, &copies));
        assert_eq!(found.is_err(), precision != Precision::Float32, "{found:?}");
        let actions = actions(&tape, module, &places, &arena, (precision, &copies)).unwrap();
        let captured = Captured::new(&arena, std::slice::from_ref(&stage.loaded), &actions).unwrap();
        let graph = stage.fake.record().graphs.values().next().cloned().unwrap();
        let waits = stage.fake.record().waits.clone();
        drop(captured);
        (graph, waits)
    };
    let copy = "launch to_bfloat16";
    let (graph, waits) = played(Precision::Tf32, [true, true, false]);
    assert_eq!(graph, ["multiply a layer", "launch two"]);
    assert_eq!(waits, [vec![], vec![0]]);
    let (graph, waits) = played(Precision::Bf16, [true, true, true]);
    assert_eq!(graph, [copy, copy, "multiply a layer", "launch two"]);
    assert_eq!(waits, [vec![], vec![0], vec![0, 1], vec![2]]);
    // NaN is to stay NaN; the library has no such end, with copies or without; there is no library.
    assert_eq!(played(Precision::Float32, [true, true, false]).0, ["multiply", "launch one", "launch two"]);
    assert_eq!(played(Precision::Tf32, [true, false, false]).0, ["multiply", "launch one", "launch two"]);
    let (graph, _) = played(Precision::Bf16, [true, false, true]);
    assert_eq!(graph, [copy, copy, "multiply", "launch one", "launch two"]);
    let (graph, _) = played(Precision::Bf16, [false, false, false]);
    assert_eq!(graph, ["launch product_bf16_small", "launch one", "launch two"]);
}
