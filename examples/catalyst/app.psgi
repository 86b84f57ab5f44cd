# An application with Catalyst: deno run -A mod.ts examples/catalyst/app.psgi --upload-progress
# In Debian: apt-get install libcatalyst-perl libcatalyst-modules-perl libplack-perl libfcgi-perl libfcgi-procmanager-perl
use strict;
use warnings;

use Weave;

Weave->apply_default_middlewares(Weave->psgi_app);
