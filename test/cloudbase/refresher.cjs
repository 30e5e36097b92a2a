// One of two processes that share a device: refreshes, again and again, the session that it was given.
const { CloudbaseOAuth } = require('@cloudbase/oauth');

const [, , apiOrigin, stored] = process.argv;
const items = new Map(JSON.parse(stored));
const storage = {
  getItem: async (key) => items.get(key) ?? null,
  setItem: async (key, value) => void items.set(key, value),
  removeItem: async (key) => void items.delete(key),
  getItemSync: (key) => items.get(key) ?? null,
  setItemSync: (key, value) => void items.set(key, value),
  removeItemSync: (key) => void items.delete(key),
};
const { oauth2client, ...oauth } = new CloudbaseOAuth({ env: 'short', clientId: 'short', apiOrigin, storage });
oauth2client.initialize(Promise.resolve({ error: null }));

// both processes begin each round at the word of the test
process.on('message', async () => {
  const credentials = await oauth2client.getCredentials().catch((error) => error);
  process.send({ error: credentials.error, access_token: credentials.access_token });
});
process.send('ready');
