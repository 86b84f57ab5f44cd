package Weave::Controller::Root;

# What an application is made of: parameters, cookies, a redirect, uploads, answers that come piece by piece, an error.

use Moose;
use namespace::autoclean;

use Digest::SHA;
use Time::HiRes ();

BEGIN { extends 'Catalyst::Controller' }

__PACKAGE__->config(namespace => '');

sub index : Path : Args(0) { }

# Everything that the application knows of a request.
sub seen : Local {
    my ($self, $c, @args) = @_;
    my $request = $c->req;
    my @lines   = (
        'method: ' . $request->method,
        'path: ' . $request->path,
        map({ "arg: $_" } @args),
        'uri: ' . $request->uri,
        'base: ' . $request->base,
        'raw: ' . $request->env->{REQUEST_URI},
        'keywords: ' . ($request->query_keywords // ''),
        'protocol: ' . $request->protocol,
        'secure: ' . ($request->secure ? 'yes' : 'no'),
        'address: ' . $request->address,
        'user: ' . ($request->remote_user // ''),
        'length: ' . ($request->content_length // ''),
    );
    for my $name (sort map {lc} $request->headers->header_field_names) {
        push @lines, "field $name: $_" for $request->headers->header($name);
    }
    $self->text($c, @lines);
}

sub parameters : Local {
    my ($self, $c) = @_;
    my @lines;
    for my $kind (qw(query body)) {
        my $parameters = $kind eq 'query' ? $c->req->query_parameters : $c->req->body_parameters;
        for my $name (sort keys %$parameters) {
            my $value = $parameters->{$name};
            push @lines, "$kind $name: $_" for ref $value ? @$value : $value;
        }
    }
    $self->text($c, @lines);
}

sub cookies : Local {
    my ($self, $c) = @_;
    my $cookies = $c->req->cookies;
    my $visits  = $cookies->{visits} ? $cookies->{visits}->value : 0;
    $c->res->cookies->{visits} = { value => $visits + 1, path => '/', httponly => 1 };
    $c->res->cookies->{thread} = { value => 'warp & weft', expires => '+1h' };
    $self->text($c, map { "$_: " . join ' | ', $cookies->{$_}->value } sort keys %$cookies);
}

sub redirect : Local {
    my ($self, $c) = @_;
    $c->res->redirect($c->uri_for('/parameters', { from => 'a redirect' }), 303);
}

# The page has a form. Weft counts the bytes of a file while they come, before Perl sees any of them.
sub upload : Local {
    my ($self, $c) = @_;
    return if $c->req->method ne 'POST';
    my @lines;
    for my $field (sort keys %{ $c->req->uploads }) {
        for my $upload ($c->req->upload($field)) {
            my $sum = Digest::SHA->new(256)->addfile($upload->tempname, 'b')->hexdigest;
            push @lines, join ' ', $field, $upload->filename, $upload->type, $upload->size, $sum;
        }
    }
    $self->text($c, @lines);
}

sub progress_client : Path('progress_client.js') : Args(0) {
    my ($self, $c) = @_;
    open my $file, '<:raw', $c->config->{progress_client} or die "$!";
    $c->res->content_type('text/javascript; charset=utf-8');
    $c->res->body($file);
}

# Each line is sent when it is written.
sub stream : Local {
    my ($self, $c) = @_;
    my $pause = $c->req->query_parameters->{pause} // 1;
    $c->res->content_type('text/plain; charset=utf-8');
    for my $number (1 .. 5) {
        Time::HiRes::sleep($pause) if $number > 1;
        $c->res->write("line $number\n");
    }
    $c->res->write("end\n");

    # There is no page to be made of a template.
    $c->res->body('');
}

# A long answer from a file handle, read a piece at a time.
sub large : Local {
    my ($self, $c, $size) = @_;
    open my $file, '<:raw', \('weft' x ($size / 4)) or die "$!";
    $c->res->content_type('application/octet-stream');
    $c->res->content_length($size);
    $c->res->body($file);
}

sub size : Local {
    my ($self, $c) = @_;
    my $body = $c->req->body;
    my $size = 0;
    if (defined $body) {
        seek $body, 0, 0;
        while (read $body, my $piece, 65_536) { $size += length $piece }
    }
    $self->text($c, "$size bytes");
}

sub nothing : Local {
    my ($self, $c) = @_;
    $c->res->status(204);
    $c->res->body('');
}

sub fields : Local {
    my ($self, $c) = @_;
    $c->res->status(418);
    $c->res->headers->push_header('X-Thread' => $_) for qw(warp weft);
    $c->res->header('ETag' => '"1"');
    $self->text($c, 'short and stout');
}

sub error : Local {
    my ($self, $c) = @_;
    die "a thread broke\n";
}

sub default : Path {
    my ($self, $c) = @_;
    $c->res->status(404);
    $self->text($c, 'There is no such page.');
}

sub text {
    my ($self, $c, @lines) = @_;
    $c->res->content_type('text/plain; charset=utf-8');
    $c->res->body(join '', map { "$_\n" } @lines);
}

sub end : ActionClass('RenderView') { }

__PACKAGE__->meta->make_immutable;

1;
