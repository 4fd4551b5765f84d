// A provider of OpenID Connect for tests: anybody signs in by naming an account.
// Accounts come as lines of JSON on standard input; each is acknowledged.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Provider } from "oidc-provider";

let accounts = {};
const [redirect, port] = process.argv.slice(2);
let answer = (req, res) => res.end();
const server = createServer((req, res) => answer(req, res));

server.listen(Number(port), "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "parvis", client_secret: "secret of the client", redirect_uris: [redirect] }],
    claims: { openid: ["sub", "groups"], email: ["email", "email_verified"], profile: ["name", "given_name", "family_name"] },
    pkce: { required: () => true },
    cookies: { keys: ["of the tests"] },
    conformIdTokenClaims: false, // as many providers: the ID token says all that user info does
    // What stands under "id_token" is said there only.
    findAccount: (_, id) => {
      if (!accounts[id]) return undefined;
      const { id_token: token = {}, ...everywhere } = accounts[id];
      return { accountId: id, claims: (use) => ({ sub: id, ...everywhere, ...(use === "id_token" ? token : {}) }) };
    },
  });
  answer = provider.callback();
  console.log(issuer);
});
createInterface({ input: process.stdin })
  .on("line", (line) => {
    accounts = JSON.parse(line);
    console.log("ok");
  })
  .on("close", () => process.exit());
