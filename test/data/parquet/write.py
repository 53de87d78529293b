"""Writes the Parquet files of this folder (pyarrow 25): python3 write.py. Another writer than our reader's authors'."""
import datetime

import pyarrow as pa
import pyarrow.parquet as pq

gsm8k = [
    {"question": "Ann has 12 pens and buys 6 more. How many has she?", "answer": "12 + 6 = <<12+6=18>>18 pens.\n#### 18"},
    {"question": "A field yields 1,000 kg twice. How much?", "answer": "It is <<1000*2=2000>>2000.\n#### 2,000"},
    {"question": "Ten birds lose three. How many are left?", "answer": "10 - 3 = <<10-3=7>>7.\n#### 7"},
]
for codec in ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]:
    pq.write_table(pa.Table.from_pylist(gsm8k), f"gsm8k.{codec}.parquet", compression=codec)

message = pa.struct([("content", pa.string()), ("role", pa.string())])
verl = pa.table(
    {
        "data_source": ["openai/gsm8k"] * 2,
        "prompt": pa.array([[{"content": f"{n} + 1?", "role": "user"}] for n in (1, 2)], pa.list_(message)),
        "ability": ["math"] * 2,
        "reward_model": [{"ground_truth": str(n + 1), "style": "rule"} for n in (1, 2)],
        "extra_info": [{"index": n, "split": "train"} for n in (1, 2)],
    }
)
pq.write_table(verl, "verl.parquet", row_group_size=1)

kinds = pa.table(
    {
        "prompt": pa.array([b"plain bytes", "äöü".encode(), b"\xff\xfe", None], pa.binary()),
        "answer": pa.array([7, -3, 2**53 + 1, 0], pa.int64()),
        "level": pa.array([1, None, 3, 4], pa.int32()),
        "share": pa.array([0.5, 0.25, 1.0, None], pa.float64()),
        "numbers": pa.array([[1, 2], [], None, [3]], pa.list_(pa.int64())),
        "day": pa.array([datetime.date(2026, 1, 2)] * 4, pa.date32()),
        "right": pa.array([True, False, None, True]),
    }
)
pq.write_table(kinds, "kinds.parquet", row_group_size=2)
pq.write_table(kinds.slice(0, 0), "empty.parquet")
