//! How fast bytes become records, measured beside the limit: libdeflate inflating the same bytes.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a bench measures time against the bare library"
)]
#![expect(clippy::print_stdout, reason = "the ratios are its result")]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use keytrail::decode::gzip::{Inflater, Taker};
use keytrail::decode::select::Search;
use keytrail::decode::split::{Cuts, Splitter};
use keytrail::decode::{Decoder, Limits, Record, RecordSink, RejectReason};

/// Plain bytes of each corpus, about.
const SIZE: usize = 64 << 20;

/// Plain bytes of one object.
const OBJECT: usize = 1 << 20;

/// Objects of one account, as text and as stored.
struct Corpus {
    plain: Vec<Vec<u8>>,
    packed: Vec<Vec<u8>>,
}

static FEW: LazyLock<Corpus> = LazyLock::new(|| corpus(5));
static MANY: LazyLock<Corpus> = LazyLock::new(|| corpus(60));

fn get(percent: u64) -> &'static Corpus {
    if percent == 5 { &FEW } else { &MANY }
}

fn corpus(percent: u64) -> Corpus {
    let mut dice = Dice(0x9e37_79b9 ^ percent);
    let mut corpus = Corpus { plain: Vec::new(), packed: Vec::new() };
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    while corpus.plain.len() * OBJECT < SIZE {
        let mut text = String::from("{\"Records\":[");
        while text.len() < OBJECT {
            if !text.ends_with('[') {
                text.push(',');
            }
            record(&mut text, &mut dice, percent);
        }
        text.push_str("]}");
        let mut packed = vec![0; compressor.gzip_compress_bound(text.len())];
        let len = compressor.gzip_compress(text.as_bytes(), &mut packed).expect("the bound holds");
        packed.truncate(len);
        corpus.plain.push(text.into_bytes());
        corpus.packed.push(packed);
    }
    corpus
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % sides
    }

    fn id(&mut self) -> String {
        let (a, b) = (self.roll(u64::MAX), self.roll(u64::MAX));
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            a & 0xffff,
            a >> 16 & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}

fn record(text: &mut String, dice: &mut Dice, percent: u64) {
    let role = ["etl", "web-frontend", "batch-import", "backup"][dice.roll(4) as usize];
    let (account, session) = (111_122_223_333 + dice.roll(3), dice.roll(40));
    let time =
        format!("2026-11-{:02}T{:02}:{:02}:{:02}Z", 1 + dice.roll(28), dice.roll(24), dice.roll(60), dice.roll(60));
    let error = if dice.roll(20) == 0 {
        r#","errorCode":"AccessDenied","errorMessage":"User is not authorized to perform this operation""#
    } else {
        ""
    };
    let key = format!("arn:aws:kms:eu-west-1:{account}:key/{:08x}-1111-2222-3333-444444444444", dice.roll(30));
    let (source, name, parameters, resources) = if dice.roll(100) < percent {
        let name = ["Decrypt", "GenerateDataKey", "Encrypt"][dice.roll(3) as usize];
        let parameters = format!(
            r#"{{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{{"aws:s3:arn":"arn:aws:s3:::data-{}/year=2026/part-{:06}.parquet"}}}}"#,
            dice.roll(20),
            dice.roll(1_000_000)
        );
        let resources = format!(r#"[{{"accountId":"{account}","type":"AWS::KMS::Key","ARN":"{key}"}}]"#);
        ("kms", name, parameters, resources)
    } else {
        match dice.roll(5) {
            0 => (
                "sts",
                "AssumeRole",
                format!(r#"{{"roleArn":"arn:aws:iam::{account}:role/{role}","roleSessionName":"job-{session}","durationSeconds":3600}}"#),
                format!(r#"[{{"accountId":"{account}","type":"AWS::IAM::Role","ARN":"arn:aws:iam::{account}:role/{role}"}}]"#),
            ),
            1 => (
                "ec2",
                "DescribeInstances",
                format!(r#"{{"instancesSet":{{"items":[{{"instanceId":"i-{:017x}"}}]}},"filterSet":{{}}}}"#, dice.roll(1 << 60)),
                "[]".to_owned(),
            ),
            2 => (
                "s3",
                "PutObject",
                format!(
                    r#"{{"bucketName":"data-{}","key":"year=2026/part-{:06}.parquet","x-amz-server-side-encryption":"aws:kms","x-amz-server-side-encryption-aws-kms-key-id":"{key}"}}"#,
                    dice.roll(20),
                    dice.roll(1_000_000)
                ),
                "[]".to_owned(),
            ),
            3 => (
                "events",
                "PutRule",
                r#"{"name":"watch","eventPattern":"{\"source\":[\"aws.s3\"],\"detail\":{\"eventName\":[\"GetObject\"]}}"}"#.to_owned(),
                "[]".to_owned(),
            ),
            _ => (
                "logs",
                "CreateLogStream",
                format!(r#"{{"logGroupName":"/aws/lambda/{role}","logStreamName":"2026/11/01/[$LATEST]{}"}}"#, dice.id()),
                "[]".to_owned(),
            ),
        }
    };
    let (request, event) = (dice.id(), dice.id());
    text.push_str(&format!(
        r#"{{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLE{role}:job-{session}","arn":"arn:aws:sts::{account}:assumed-role/{role}/job-{session}","accountId":"{account}","accessKeyId":"ASIA{:016X}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE{role}","arn":"arn:aws:iam::{account}:role/{role}","accountId":"{account}","userName":"{role}"}},"attributes":{{"creationDate":"{time}","mfaAuthenticated":"false"}}}}}},"eventTime":"{time}","eventSource":"{source}.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","sourceIPAddress":"10.0.{}.{}","userAgent":"aws-sdk-java/2.31.{} Linux/6.1 OpenJDK_64-Bit_Server_VM/21.0.4"{error},"requestParameters":{parameters},"responseElements":null,"requestID":"{request}","eventID":"{event}","readOnly":true,"resources":{resources},"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{account}","eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"{source}.eu-west-1.amazonaws.com"}}}}"#,
        dice.roll(1 << 20),
        dice.roll(4),
        dice.roll(250),
        dice.roll(4),
    ));
}

struct Nothing;

impl RecordSink for Nothing {
    fn record(&mut self, record: &Record<'_>) -> Result<(), RejectReason> {
        black_box(record.value);
        Ok(())
    }

    fn stage(&mut self) {}

    fn settle(&mut self, _: bool) {}
}

impl Taker for Nothing {
    fn stage(&mut self) {}

    fn take(&mut self, bytes: &[u8], _: bool) -> usize {
        black_box(bytes).len()
    }
}

fn limit(corpus: &Corpus) {
    let mut decompressor = libdeflater::Decompressor::new();
    let mut out = vec![0; 2 * OBJECT];
    for packed in &corpus.packed {
        black_box(decompressor.gzip_decompress(packed, &mut out).expect("our own gzip"));
    }
}

fn ours(corpus: &Corpus) {
    let mut inflater = Inflater::new(Limits::default());
    for packed in &corpus.packed {
        black_box(inflater.read(&mut packed.as_slice(), Some(packed.len() as u64), &mut Nothing));
    }
}

fn windowed(corpus: &Corpus) {
    let mut inflater = Inflater::new(Limits { window: 256 << 10, ..Limits::default() });
    for packed in &corpus.packed {
        black_box(inflater.read(&mut packed.as_slice(), Some(packed.len() as u64), &mut Nothing));
    }
}

fn splitter(corpus: &Corpus) {
    let mut ends = Vec::new();
    for plain in &corpus.plain {
        ends.clear();
        black_box(Splitter::new().scan(&plain["{\"Records\":[".len()..], true, &mut ends));
    }
}

/// Every mark of the search, as if no record were skipped after its first.
fn needles(corpus: &Corpus) {
    let search = Search::new();
    for plain in &corpus.plain {
        search.needles().search(plain, |mark| {
            black_box(mark);
            false
        });
    }
}

/// Both in one pass.
fn both(corpus: &Corpus) {
    let (search, mut cuts) = (Search::new(), Cuts::default());
    for plain in &corpus.plain {
        cuts.clear();
        let records = &plain["{\"Records\":[".len()..];
        black_box(Splitter::new().scan_for(search.needles(), records, true, &mut cuts));
    }
}

fn whole(corpus: &Corpus) {
    let mut decoder = Decoder::new(Limits::default());
    for packed in &corpus.packed {
        black_box(decoder.read(&mut packed.as_slice(), Some(packed.len() as u64), &mut Nothing));
    }
}

/// Without inflating.
fn records(corpus: &Corpus) {
    let mut decoder = Decoder::new(Limits::default());
    for plain in &corpus.plain {
        black_box(decoder.read(&mut plain.as_slice(), Some(plain.len() as u64), &mut Nothing));
    }
}

fn run(bencher: Bencher<'_, '_>, percent: u64, work: fn(&Corpus)) {
    let corpus = get(percent);
    let bytes: usize = corpus.plain.iter().map(Vec::len).sum();
    bencher.counter(BytesCount::new(bytes)).bench(|| work(corpus));
}

#[divan::bench(args = [5, 60])]
fn inflate_libdeflate(bencher: Bencher<'_, '_>, percent: u64) {
    run(bencher, percent, limit);
}

#[divan::bench(args = [5, 60])]
fn inflate_ours(bencher: Bencher<'_, '_>, percent: u64) {
    run(bencher, percent, ours);
}

#[divan::bench(args = [5, 60])]
fn inflate_ours_in_windows(bencher: Bencher<'_, '_>, percent: u64) {
    run(bencher, percent, windowed);
}

#[divan::bench(args = [5, 60])]
fn split(bencher: Bencher<'_, '_>, percent: u64) {
    run(bencher, percent, splitter);
}

#[divan::bench(args = [5, 60])]
fn search(bencher: Bencher<'_, '_>, percent: u64) {
    run(bencher, percent, needles);
}

#[divan::bench(args = [5, 60])]
fn split_and_search(bencher: Bencher<'_, '_>, percent: u64) {
    run(bencher, percent, both);
}

#[divan::bench(args = [5, 60])]
fn decode_plain(bencher: Bencher<'_, '_>, percent: u64) {
    run(bencher, percent, records);
}

#[divan::bench(args = [5, 60])]
fn decode_gzip(bencher: Bencher<'_, '_>, percent: u64) {
    run(bencher, percent, whole);
}

/// Rounds are interleaved, so that a busy machine slows both sides of a ratio.
fn ratios() {
    type Work = (&'static str, fn(&Corpus));
    const WORK: [Work; 8] = [
        ("libdeflate", limit),
        ("ours", ours),
        ("windows", windowed),
        ("split", splitter),
        ("search", needles),
        ("both", both),
        ("decode plain", records),
        ("decode gzip", whole),
    ];
    for percent in [5, 60] {
        let corpus = get(percent);
        let bytes: usize = corpus.plain.iter().map(Vec::len).sum();
        let packed: usize = corpus.packed.iter().map(Vec::len).sum();
        let mut times = [const { Vec::new() }; WORK.len()];
        for _ in 0..7 {
            for (times, (_, work)) in times.iter_mut().zip(WORK) {
                let start = Instant::now();
                work(corpus);
                times.push(start.elapsed());
            }
        }
        let medians = times.map(|mut times: Vec<Duration>| {
            times.sort_unstable();
            times[times.len() / 2].as_secs_f64()
        });
        print!("{percent}% KMS, {:.1}:1, time as a multiple of libdeflate (GB/s):", bytes as f64 / packed as f64);
        for ((name, _), median) in WORK.iter().zip(medians) {
            print!("  {name} {:.2} ({:.2})", median / medians[0], bytes as f64 / median / 1e9);
        }
        println!();
    }
}

fn main() {
    divan::main();
    if std::env::args().any(|argument| argument == "--bench") {
        ratios();
    }
}
