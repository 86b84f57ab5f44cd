// What belongs to an application in Perl, how it is started, and what is said if it does not start.

import assert from "node:assert/strict";
import { notStarted, perlApp, perlSources, plackupCommand } from "../../src/app/perl_app.ts";

const DIRECTORIES = { kindOf: (path: string) => path === "/srv/shop/lib" ? "directory" as const : null };

Deno.test("What belongs to an application is in its directory, or above that if it is named script or bin", () => {
  const homes = [
    ["app.psgi", "/srv/shop"],
    ["script/shop.psgi", "/srv/shop"],
    ["./bin/app.psgi", "/srv/shop"],
    ["/srv/other/app.psgi", "/srv/other"],
    ["/app.psgi", "/"],
    ["/script/app.psgi", "/"],
    ["../manuscript/app.psgi", "/srv/manuscript"],
  ];
  for (const [specifier = "", home] of homes) assert.equal(perlApp(specifier, "/srv/shop").home, home, specifier);
});

Deno.test("With --restart its modules, templates and configuration count", () => {
  const { directories, pattern } = perlSources("script/shop.psgi", "/srv/shop");
  assert.deepEqual(directories, ["/srv/shop"]);
  for (const name of ["Shop.pm", "x.pl", "app.psgi", "page.tt", "page.tt2", "shop.conf", "shop.yml", "shop.json"]) {
    assert.match(`/srv/shop/${name}`, pattern);
  }
  for (const name of ["photo.png", "shop.db", "Shop.pmc", "notes.txt"]) {
    assert.doesNotMatch(`/srv/shop/${name}`, pattern);
  }
});

Deno.test("It is started with its modules in lib, and what the operator adds comes last", () => {
  const args = ["-E", "development", "-I", "more"];
  const options = { socket: "/run/s", processes: 4, args, files: DIRECTORIES };
  assert.match(
    plackupCommand(perlApp("script/shop.psgi", "/srv/shop"), options).join(" "),
    /^plackup --server FCGI --listen \/run\/s --nproc 4 --env deployment -I \/srv\/shop\/lib -e enable .* -E development -I more --app \/srv\/shop\/script\/shop\.psgi$/,
  );
  assert.ok(!plackupCommand(perlApp("app.psgi", "/srv/other"), options).includes("/srv/other/lib"));
});

Deno.test("What of plackup is missing is told of with the packages, and what the application lacks with its own words", () => {
  const app = perlApp("app.psgi", "/srv/shop");
  const packages = "in Debian: apt-get install libplack-perl libfcgi-perl libfcgi-procmanager-perl";
  const missing = [
    ["cannot run plackup: No such file or directory", "plackup"],
    ["Can't locate FCGI.pm in @INC (you may need to install the FCGI module) (@INC contains: /etc/perl)", "FCGI"],
    ["Can't locate FCGI/ProcManager.pm in @INC (you may need to install it)", "FCGI::ProcManager"],
    ["Can't locate Plack/Handler/FCGI.pm in @INC (you may need to install it)", "Plack::Handler::FCGI"],
  ];
  for (const [said = "", what] of missing) {
    const { message, code } = notStarted(app, said);
    assert.equal(message, `cannot serve app.psgi: ${what} is missing; ${packages}`);
    assert.equal(code, 4);
  }
  const own = "Can't locate Shop/Model.pm in @INC (you may need to install it) at /srv/shop/app.psgi line 3.";
  assert.equal(notStarted(app, own).message, `cannot load the application app.psgi\n${own}`);
});
