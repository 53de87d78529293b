/** A verifier: scores completions, without a GPU. */
import { serve } from "../src/rpc/connect.ts";
import { createVerifierApi } from "../src/verifier/serve.ts";

serve(createVerifierApi());
