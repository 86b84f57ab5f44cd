package Weave;

# The application: its name and its configuration.

use Moose;
use namespace::autoclean;

use Catalyst::Runtime 5.90;
use Catalyst;

extends 'Catalyst';

our $VERSION = '0.01';

__PACKAGE__->config(
    name                   => 'Weave',
    default_view           => 'HTML',
    enable_catalyst_header => 0,

    # Weft names the client (--trust-proxy). Catalyst would believe X-Forwarded-For of every client on this machine.
    ignore_frontend_proxy => 1,

    # The module that shows the progress of an upload. An application of yours has a copy of it beside its other scripts.
    progress_client => __PACKAGE__->path_to(qw(.. .. src progress client progress_client.js)),
);

__PACKAGE__->setup;

1;
