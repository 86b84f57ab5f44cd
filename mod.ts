export { serve } from "./src/engine/serve.ts";
