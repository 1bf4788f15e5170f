// Official servers of MCP, for Tocsin's client: node mcp_server.mjs old|new PORT, at /mcp until it is killed; GET /ready
// is answered 200. `old` speaks 2025-11-25 with sessions and answers in streams; `new` speaks 2026-07-28.
import http from 'node:http';
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { McpServer as OldServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';

function equip(server) {
  server.registerTool('search', {
    description: 'finds pages', inputSchema: z.object({ q: z.string() }), annotations: { readOnlyHint: true },
  }, async ({ q }) => ({ content: [{ type: 'text', text: `found ${q}` }] }));
  server.registerTool('erase', {
    description: 'erases pages', inputSchema: z.object({}), annotations: { readOnlyHint: false },
  }, async () => ({ content: [{ type: 'text', text: 'gone' }] }));
  return server;
}
const about = { name: 'wiki', version: '1.0.0' };

const sessions = new Map();
async function serveOld(request, response) {
  let transport = sessions.get(request.headers['mcp-session-id']);
  if (!transport) {
    if (request.headers['mcp-session-id']) {
      response.writeHead(404).end();
      return;
    }
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => sessions.set(id, transport),
    });
    await equip(new OldServer(about)).connect(transport);
  }
  await transport.handleRequest(request, response);
}

const handler = createMcpHandler(() => equip(new McpServer(about)));
async function serveNew(request, response) {
  const answer = await handler.fetch(new Request(`http://127.0.0.1${request.url}`, {
    method: request.method, headers: request.headers, duplex: 'half',
    body: request.method === 'POST' ? Readable.toWeb(request) : undefined }));
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body) for await (const piece of answer.body) response.write(piece);
  response.end();
}

const serve = process.argv[2] === 'old' ? serveOld : serveNew;
http.createServer((request, response) => {
  if (request.url === '/ready') return response.writeHead(200).end();
  return serve(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
}).listen(Number(process.argv[3]), '127.0.0.1');
