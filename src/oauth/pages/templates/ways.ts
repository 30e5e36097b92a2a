export const ways = `
<% it.ways.forEach(({ href, text, values }) => { %>
<p class="way"><a href="<%= href %>"><%= it.t(text, values) %></a></p>
<% }) %>
`;
