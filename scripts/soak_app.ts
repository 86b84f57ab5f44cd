// The application of soak.ts: it answers as the request's plan says.

import { handlerOf } from "../tests/helpers/conversations.ts";

export default handlerOf(() => new Promise((resolve) => setTimeout(resolve, 0)));
