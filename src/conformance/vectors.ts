/** Files of vectors, wherever they lie (a folder, an address, memory), and the tensors in them. */
import { DataError } from "../errors.ts";
import { parseSafetensors, type SafetensorsTensor, toFloat32, toInt32 } from "../model/safetensors.ts";

/** A directory laid out like `reference/vectors`. */
export interface VectorSource {
  /** Named in errors. */
  readonly where: string;
  /** Names in a folder of it ("" for the top), sorted; empty where there is no such folder. */
  list(folder: string): Promise<string[]>;
  /** Bytes of a file, or null where there is none. */
  read(path: string): Promise<Uint8Array | null>;
}

/** The tensors of one file of vectors; a missing one is an error that names it. */
export class Vectors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly names: readonly string[];
  private readonly tensors: ReadonlyMap<string, SafetensorsTensor>;

  /** @throws DataError for a damaged file */
  constructor(bytes: Uint8Array) {
    const { metadata, tensors } = parseSafetensors(bytes);
    this.metadata = metadata;
    this.tensors = tensors;
    this.names = [...tensors.keys()];
  }

  /** @throws DataError unless the tensor is there, with as many axes where their number is given */
  shape(name: string, axes?: number): readonly number[] {
    const { shape } = this.tensor(name);
    if (axes === undefined || shape.length === axes) return shape;
    throw new DataError(
      "conformance/bad-vectors",
      `Cannot use the tensor ${name}: its shape is [${shape.join(", ")}], ${axes} axes are needed`,
    );
  }

  /** Rounded to f32: what the GPU is given. */
  floats(name: string): Float32Array {
    return toFloat32(this.tensor(name));
  }

  /** As precise as the file has them: what results are compared with. */
  exact(name: string): ArrayLike<number> {
    const tensor = this.tensor(name);
    return tensor.dtype === "F64" ? (tensor.data() as Float64Array) : toFloat32(tensor);
  }

  /** Whole numbers. */
  words(name: string): Uint32Array {
    return Uint32Array.from(toInt32(this.tensor(name)));
  }

  /** A number that the metadata gives as JSON. @throws DataError where there is none */
  number(key: string): number {
    const value = Number(this.metadata[key] ?? Number.NaN);
    if (!Number.isNaN(value)) return value;
    throw new DataError(
      "conformance/bad-vectors",
      `Cannot use the vectors: their metadata has no number \`${key}\``,
    );
  }

  private tensor(name: string): SafetensorsTensor {
    const tensor = this.tensors.get(name);
    if (tensor) return tensor;
    throw new DataError("conformance/bad-vectors", `Cannot use the vectors: the tensor ${name} is missing`, {
      hint: `The file holds ${this.names.join(", ")}.`,
    });
  }
}

/** Reads a file that must be there. @throws DataError */
export async function readVectors(source: VectorSource, path: string): Promise<Vectors> {
  const bytes = await source.read(path);
  if (bytes !== null) return new Vectors(bytes);
  throw new DataError("conformance/missing-file", `Cannot check ${path}: the file is missing`);
}
