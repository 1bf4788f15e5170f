// The official clients of MCP against /mcp and `tocsin mcp`: both SDKs, both transports, both generations.
// node mcp_clients.mjs URL TOCSIN TOKEN_FILE; prints one JSON object: what each of them saw.
import fs from 'node:fs';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const [url, tocsin, tokenFile] = process.argv.slice(2);
const token = fs.readFileSync(tokenFile, 'utf8').trim();
const requestInit = { headers: { Authorization: `Bearer ${token}` } };
const stdio = { command: tocsin, args: ['mcp', '--server', url, '--token-file', tokenFile] };
const endpoint = () => new URL(`${url}/mcp`);
const about = { name: 'tocsin-e2e', version: '1.0.0' };
const proposal = { runbook: 'restart-checkout', why: 'checkout leaks memory' };

const errorOf = async (promise) => {
  try {
    await promise;
    return null;
  } catch (error) {
    return { code: error.code ?? null, message: String(error.message) };
  }
};

// What every client does.
async function use(client) {
  const seen = {};
  seen.server = client.getServerVersion();
  seen.tools = (await client.listTools()).tools.map((t) => t.name);
  const incidents = await client.callTool({ name: 'list_incidents', arguments: {} });
  seen.incidents = incidents.structuredContent.data.incidents.map((i) => i.id);
  const wrong = await client.callTool({ name: 'get_incident', arguments: { incident: 'INC-NONE' } });
  seen.wrong_is_error = wrong.isError;
  seen.no_such_tool = await errorOf(client.callTool({ name: 'approve', arguments: {} }));
  seen.prompts = (await client.listPrompts()).prompts.map((p) => p.name);
  const prompt = await client.getPrompt({
    name: 'investigate_incident', arguments: { incident: 'INC-E2E' } });
  seen.prompt_names_it = prompt.messages[0].content.text.includes('INC-E2E');
  seen.resources = (await client.listResources()).resources.map((r) => r.uri);
  seen.templates = (await client.listResourceTemplates()).resourceTemplates.length;
  const read = await client.readResource({ uri: 'tocsin://runbooks/restart-checkout' });
  seen.runbook = read.contents[0].text;
  seen.no_such_resource = await errorOf(client.readResource({ uri: 'tocsin://runbooks/none' }));
  return seen;
}

async function old(transport) {
  const client = new OldClient(about);
  await client.connect(transport);
  const seen = await use(client);
  await client.ping();
  const run = await client.callTool({ name: 'propose_run', arguments: proposal });
  seen.proposed = { text: run.content[0].text, state: run.structuredContent.data.state };
  if (transport.terminateSession) await transport.terminateSession();
  await client.close();
  return seen;
}

async function current(transport, mode) {
  const client = new Client(about, { versionNegotiation: { mode } });
  await client.connect(transport);
  const seen = await use(client);
  seen.version = client.getNegotiatedProtocolVersion?.() ?? null;
  seen.era = client.getProtocolEra?.() ?? null;
  const run = await client.callTool({ name: 'propose_run', arguments: proposal });
  seen.proposed = { text: run.content[0].text, state: run.structuredContent.data.state };
  await client.close();
  return seen;
}

// People are asked through the client: twice they say that it was decided, which it was not.
async function asksPeople() {
  const client = new Client(about, {
    capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: 'auto' } });
  const messages = [];
  client.setRequestHandler('elicitation/create', async (request) => {
    messages.push(request.params.message);
    return messages.length < 3
      ? { action: 'accept', content: { look_again: true, approve: true } } : { action: 'decline' };
  });
  await client.connect(new StreamableHTTPClientTransport(endpoint(), { requestInit }));
  const run = await client.callTool({ name: 'propose_run', arguments: proposal });
  await client.close();
  return { messages, text: run.content[0].text, state: run.structuredContent.data.state };
}

const out = {};
out.sdk1_http = await old(new OldHttp(endpoint(), { requestInit }));
out.sdk1_stdio = await old(new OldStdio(stdio));
out.sdk2_http = await current(new StreamableHTTPClientTransport(endpoint(), { requestInit }), 'auto');
out.sdk2_pinned = await current(
  new StreamableHTTPClientTransport(endpoint(), { requestInit }), { pin: '2026-07-28' });
out.sdk2_legacy = await current(new StreamableHTTPClientTransport(endpoint(), { requestInit }), 'legacy');
out.sdk2_stdio = await current(new StdioClientTransport(stdio), 'auto');
out.people = await asksPeople();
out.no_token = await errorOf(new OldClient(about).connect(new OldHttp(endpoint())));
out.no_token_stdio = await errorOf(new OldClient(about).connect(
  new OldStdio({ command: tocsin, args: ['mcp', '--server', url], env: {} })));
console.log(JSON.stringify(out));
process.exit(0);
