// A real OpenID provider (panva's, certified) for the tests of signing in through one: `node provider.mjs CALLBACK`.
//
// It prints its issuer and serves until it is killed. People sign in on its own pages with any name; what they are
// called says what the provider tells of them: `wang+engineers+night` is in two groups. Names that begin with `fault-`
// get an ID token that has been changed after it was made, and signed again with the provider's own key.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";

const modules = new URL("../../viewer/web/node_modules/", import.meta.url);
const { default: Provider } = await import(new URL("oidc-provider/lib/index.js", modules));
const { decodeJwt, importJWK, SignJWT, UnsecuredJWT } = await import(new URL("jose/dist/webapi/index.js", modules));

const callback = process.argv[2];
const jwk = (kid) => ({
  ...generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig",
});
const key = jwk("real");
const claimsOf = (login) => {
  const [name, ...groups] = login.split("+");
  return { sub: `sub-${name}`, preferred_username: name, name: `${name} of the provider`, groups };
};
const client = (id, more) => ({
  client_id: id, redirect_uris: [callback], response_types: ["code"], grant_types: ["authorization_code"],
  id_token_signed_response_alg: "ES256", ...more,
});

const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [
    client("twin", { client_secret: "a shared secret" }),
    client("public", { token_endpoint_auth_method: "none" }),
  ],
  jwks: { keys: [key] },
  cookies: { keys: ["only for tests"] },
  claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"] },
  pkce: { required: () => true },
  findAccount: (_, login) => ({ accountId: login, claims: async () => ({ ...claimsOf(login), sub: login }) }),
});

const faults = {
  "fault-audience": (claims) => ({ ...claims, aud: "somebody-else" }),
  "fault-issuer": (claims) => ({ ...claims, iss: "https://elsewhere.example" }),
  "fault-expired": (claims) => ({ ...claims, iat: claims.iat - 7200, exp: claims.iat - 3600 }),
  "fault-subject": (claims) => ({ ...claims, sub: undefined }),
  "fault-nonce": (claims) => ({ ...claims, nonce: undefined }),
  "fault-hash": (claims) => ({ ...claims, at_hash: "AAAAAAAAAAAAAAAAAAAAAA" }),
};
provider.use(async (ctx, next) => {
  await next();
  if (ctx.path !== "/token" || !ctx.body?.id_token) return;
  const claims = decodeJwt(ctx.body.id_token);
  const fault = claims.sub.split("+")[0];
  if (fault === "fault-unsigned") {
    ctx.body = { ...ctx.body, id_token: new UnsecuredJWT(claims).encode() };
  } else if (fault === "fault-key") {
    ctx.body = { ...ctx.body, id_token: await signed(claims, jwk("real")) };
  } else if (fault === "fault-none") {
    ctx.body = { access_token: ctx.body.access_token, token_type: "Bearer" };
  } else if (faults[fault]) {
    ctx.body = { ...ctx.body, id_token: await signed(faults[fault](claims), key) };
  }
});

async function signed(claims, by) {
  return new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: by.kid }).sign(await importJWK(by, "ES256"));
}

server.on("request", provider.callback());
console.log(`issuer ${issuer}`);
