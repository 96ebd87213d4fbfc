//! A measurement of criterion that says how much of the machine's own it is. In: the peaks, measured before. Out: a line's
//! throughput and its share. Never: a peak from a table.

use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};

/// Wall time; throughput as a share of the machine's own.
pub struct BesidePeak {
    /// GFLOP/s.
    pub flops: f64,
    /// GB/s.
    pub bytes: f64,
}

impl Measurement for BesidePeak {
    type Intermediate = <WallTime as Measurement>::Intermediate;
    type Value = <WallTime as Measurement>::Value;

    fn start(&self) -> Self::Intermediate {
        WallTime.start()
    }
    fn end(&self, begin: Self::Intermediate) -> Self::Value {
        WallTime.end(begin)
    }
    fn add(&self, a: &Self::Value, b: &Self::Value) -> Self::Value {
        WallTime.add(a, b)
    }
    fn zero(&self) -> Self::Value {
        WallTime.zero()
    }
    fn to_f64(&self, value: &Self::Value) -> f64 {
        WallTime.to_f64(value)
    }
    fn formatter(&self) -> &dyn ValueFormatter {
        self
    }
}

impl ValueFormatter for BesidePeak {
    fn format_throughput(&self, throughput: &Throughput, nanoseconds: f64) -> String {
        match throughput {
            Throughput::Elements(flops) => {
                let rate = *flops as f64 / nanoseconds;
                format!("{rate:.1} GFLOP/s = {:.0} %", 100.0 * rate / self.flops)
            }
            Throughput::Bytes(bytes) => {
                let rate = *bytes as f64 / nanoseconds;
                format!("{rate:.1} GB/s = {:.0} %", 100.0 * rate / self.bytes)
            }
            other => WallTime.formatter().format_throughput(other, nanoseconds),
        }
    }
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_values(typical, values)
    }
    fn scale_throughputs(&self, typical: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_throughputs(typical, throughput, values)
    }
    fn scale_for_machines(&self, values: &mut [f64]) -> &'static str {
        WallTime.formatter().scale_for_machines(values)
    }
}
